"use strict";
const facts = JSON.parse(document.getElementById("facts").textContent);
const put = (id, text) => { document.getElementById(id).textContent = text; };
put("lead", facts.lead);
put("try", facts.try);
put("score", facts.score);
put("protocol", facts.protocol);
const comparison = new Comparison(document.getElementById("compare"));
comparison.show(facts.scene, { a: 0, b: 1, ev: facts.start_ev }).then(() => { document.documentElement.dataset.ready = "yes"; });
