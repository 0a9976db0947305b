"use strict";
const facts = JSON.parse(document.getElementById("facts").textContent);
const put = (id, text) => { document.getElementById(id).textContent = text; };
put("lead", facts.lead);
put("try", facts.try);
put("score", facts.score);
put("protocol", facts.protocol);
put("screen", matchMedia("(dynamic-range: high)").matches
  ? "This screen shows HDR: the window is brighter than this page's white. The picture is demo.jpg, a photo with a gain map."
  : "This screen is an ordinary one, and shows the tone-mapped photo in demo.jpg. On an HDR screen the same file shows the window brighter than white.");
document.getElementById("photo").src = document.getElementById(facts.photo).textContent;
const comparison = new Comparison(document.getElementById("compare"));
comparison.show(facts.scene, { a: 0, b: 1, ev: facts.start_ev }).then(() => { document.documentElement.dataset.ready = "yes"; });
