"""A camera in software: an HDR scene in, a hand-held, noisy, moving bracket with its exact truth out.

distributions, config     what is drawn, and from which distributions
capture_options           what of it a user can choose
scene, view, texture      the HDR image, where the camera looks in it, and what it reads there
shake, objects            what differs from frame to frame
draw_plan                 a seed -> a plan with every number in it
draw_view, draw_objects   parts of it
plan                      that plan; becomes scene.json
detail                    what an enlarged scene lacks at the size of a pixel
lens                      glare, colour aberration
sensor                    light -> code values: noise, response, bits
processing                ... by a real camera: local tone, denoising, sharpening
picture_style             ... its contrast curve, a channel each
render                    the plan -> frames, truth, masks
"""
