"""What networks are made of, beside what a paper has for itself: that is in the network's own file.

blocks             what two or more papers share
deform, swin       modulated deformable convolution (ADNet); windows of self-attention (stack-itm)
codes              frames of other exposures on one scale; sRGB's curve
exposure_fusion    three exposures of one photo, merged
measured           light that a photo measured, kept
steps              how a network names its steps, so that a runner may apply them tile by tile
fused              dense blocks by fused operators, for inference on a processor
"""
