"""The pages and the parts of pages that the results fill."""

from __future__ import annotations

from benchmark_pages.markdown import Head, metric_head, ordered, scores, shown_name
from benchmark_pages.papers import papers_table
from benchmark_pages.plot import Point, plot
from benchmark_pages.robust import robust_tables
from benchmark_pages.stored import PHOTO, Stored
from benchmark_pages.toned import toned_table
from openhdr.models import WEIGHTS

NOTE = "<!-- Written by scripts/make_benchmark_pages.py from benchmarks/results; run the benchmark, then: make docs -->"
MERGE_KEY, SINGLE_KEY = "psnr-mu@shortest", "pu21-psnr"
REAL_SHORT = ("psnr-mu-curve@shortest", "ssim-mu@shortest", "pu21-psnr@shortest")
SHORT = ("ssim-mu@shortest", "pu21-psnr@shortest", "hdr-vdp-2@shortest")
RUN = """```sh
openhdr bench public --data public_test/hdri -o benchmarks/results/public --resume
openhdr bench public-single --data public_test/hdri -o benchmarks/results/public-single --resume
openhdr bench public-real-camera --data public_test/hdri -o benchmarks/results/public-real-camera --resume
openhdr bench robustness --data public_test/hdri -o benchmarks/results/robustness --resume
openhdr bench tonemapping --data public_test/hdri -o benchmarks/results/tonemapping
make docs
```"""


def cost_heads(stored: Stored) -> list[Head]:
    return [
        Head("processor s", stored.seconds, 2, 0),
        Head("memory, MB", stored.megabytes, 0, 0),
        Head("parameters", lambda name: stored.methods[name]["params"], 0, 0),
    ]


def means(stored: Stored, key: str, more: tuple[str, ...]) -> str:
    """The table that most readers want: one metric by kind of scene, some others, cost."""
    groups = dict.fromkeys(scene["group"] for scene in stored.facts["scenes"])
    heads = [metric_head(stored, key), *(metric_head(stored, key, group) for group in groups)]
    heads += [metric_head(stored, other) for other in more]
    return scores(stored, ordered(stored, key), [*heads, *cost_heads(stored)])


def weights_words(stored: Stored) -> str:
    """What the networks' weights are, in the words of their table."""
    rows = (WEIGHTS[name] for name in stored.methods if name in WEIGHTS)
    return "\n".join(f"- Weights of `{row.name}`: {row.summary}." for row in rows)


def every_metric(stored: Stored, key: str) -> str:
    return scores(stored, ordered(stored, key), [metric_head(stored, other) for other in stored.columns])


def measured(stored: Stored) -> str:
    """Version, commit, machine and what is not in the tables."""
    facts = stored.facts
    (most, _), *others = stored.processors.items()
    machines = [most, *(f"{', '.join(f'`{name}`' for name in names)} on {one}" for one, names in others)]
    said = (
        f"Measured with openhdr {facts['openhdr']} (commits {stored.commits}) up to {facts['date'][:10]} on "
        f"{facts['hardware']['cores']} cores of {'; '.join(machines)}. Other work shared them."
    )
    return " ".join([said, *pending_words(stored)])


def pending_words(*stored: Stored) -> list[str]:
    """A sentence for each kind of method that the tables lack."""
    found = [one.pending() for one in stored]
    names = {what: [f"`{name}`" for one in found for name in one[what]] for what in found[0]}
    return [f"{what}: {', '.join(some)}." for what, some in names.items() if some]


def protocols(stored: Stored) -> str:
    return "\n".join(f"- `{key}`: {column['protocol']}" for key, column in stored.columns.items())


def default_merge(stored: Stored) -> str:
    """Whether the default is what the numbers ask for, in words."""
    default, names = (
        stored.default,
        [name for name in ordered(stored, MERGE_KEY) if not stored.is_variant(name)],
    )
    best = stored.best(MERGE_KEY, among=names)
    second = stored.best(MERGE_KEY, among=[name for name in names if name != default])
    beside = [name for name in names if name != default and (name == second or name in stored.networks())]
    lines = [
        _standing(stored, default, best, MERGE_KEY),
        *(_beside(stored, name, default) for name in beside),
    ]
    return "\n".join(lines)


def whole_methods(stored: Stored) -> list[str]:
    """Methods, best first, without those that are another with a part changed."""
    return [name for name in ordered(stored, MERGE_KEY) if not stored.is_variant(name)]


def _beside(stored: Stored, name: str, default: str) -> str:
    """Another method beside the default."""

    def gain(group: str | None = None) -> str:
        return f"{(stored.mean(name, MERGE_KEY, group) or 0) - (stored.mean(default, MERGE_KEY, group) or 0):+.1f}"

    return (
        f"- `{name}`: {gain()} dB against the default ({gain('moving')} where something moves, {gain('still')} where "
        f"nothing does); better on {stored.won(name, default, MERGE_KEY)} of {len(stored.facts['scenes'])} scenes; "
        f"{stored.seconds(name) / stored.seconds(default):.1f} times its processor time."
    )


def default_expand(stored: Stored) -> str:
    names = ordered(stored, SINGLE_KEY)
    return _standing(stored, stored.default, stored.best(SINGLE_KEY, among=names), SINGLE_KEY)


def _standing(stored: Stored, default: str, best: str, key: str) -> str:
    names = [name for name in ordered(stored, key) if not stored.is_variant(name)]
    first = sum(stored.best(other, among=names) == default for other in stored.columns)
    mean = stored.mean(default, key)
    second = stored.best(key, among=[name for name in names if name != default])
    said = (
        f"{shown_name(stored, default)} has {mean:.2f} dB `{key}`; the photo alone has "
        f"{stored.mean(PHOTO, key):.2f}. It is first in {first} of {len(stored.columns)} metrics. "
    )
    if best == default:
        return said + f"Next is `{second}` with {stored.mean(second, key):.2f} dB.\n"
    return said + f"`{best}` scores higher: {stored.mean(best, key):.2f} dB.\n"


def pareto(stored: Stored, key: str, title: str) -> str:
    """Quality over processor time of every method but the photo."""
    names = [name for name in ordered(stored, key) if name != PHOTO]
    points = [
        Point(
            name,
            stored.seconds(name),
            stored.mean(name, key) or 0.0,
            "n" if name in stored.networks() else "c",
            name == stored.default,
        )
        for name in names
    ]
    first = stored.facts["scenes"][0]
    words = (
        title,
        f"processor seconds for a scene of {first['width']}x{first['height']} (blue: classical, orange: network)",
        f"{key}, {stored.columns[key]['unit']}",
    )
    return plot(points, ("the photo alone", stored.mean(PHOTO, key) or 0.0), words)


def benchmark_page(merging: Stored, real: Stored, single: Stored, robust: Stored) -> str:
    """docs/reference/benchmark.md."""
    parts = (
        "# Benchmark",
        NOTE,
        "What every method of openhdr scores on brackets whose light is known. Networks were never trained on these "
        "scenes, nor was a checkpoint chosen on them. The constants of the classical merger were chosen on brackets "
        "from the training panoramas, with these watched ([log](../../benchmarks/log.md)). The pictures behind the "
        "numbers: [report](../benchmark/report.html) (download it and open it in a browser).",
        "The brackets are simulated: the light is exact, but it is a camera in software, on eight panoramas. Read "
        "differences of a few tenths of a decibel as equal.",
        RUN,
        "A run counts as done when its method, its weights and the metrics are as before, so a new network costs only "
        "its own time. Name a method whose code changed with `--again`.",
        "## A bracket merged",
        merging.facts["case"]["description"],
        measured(merging),
        "![Quality over processor time](../images/benchmark-merge.svg)",
        means(merging, MERGE_KEY, SHORT),
        "Processor time and memory are medians of one call. `moving` and `still` are the main metric on 24 and on 8 "
        "scenes. Every metric:",
        every_metric(merging, MERGE_KEY),
        weights_words(merging),
        protocols(merging),
        "## A bracket by a real camera",
        real.facts["case"]["description"],
        measured(real),
        "No method is given how a camera's codes stand for light "
        "([what the cameras do](../how-to/simulate-brackets.md)). `psnr-mu` asks for the light itself: a curve that is "
        "a stop off in the shadows costs more than every ghost. `psnr-mu-curve` forgives a wrong curve, one for the "
        "whole picture and all channels. `hand-held` and `tripod` are the main metric on 12 and on 8 scenes.",
        means(real, MERGE_KEY, REAL_SHORT),
        protocols(real),
        "## One photo expanded",
        single.facts["case"]["description"],
        measured(single),
        "![Quality over processor time](../images/benchmark-expand.svg)",
        means(single, SINGLE_KEY, ("pu21-ssim", "hdr-vdp-2", "tm-psnr")),
        "Every metric:",
        every_metric(single, SINGLE_KEY),
        weights_words(single),
        protocols(single),
        "## Tone mapping",
        "`TMQI` says how much of the scene's structure a picture keeps and how natural its brightness is. It knows "
        "nothing of colour, and prefers night shown as grey daylight: look at the pictures, too "
        "([side by side, or blind](../how-to/compare-on-real-photos.md)). `mertens` and enfuse fuse exposures of the "
        "scene's own light.",
        toned_table(),
        "## Where methods stop working",
        robust.facts["case"]["description"] + f" `{MERGE_KEY}` in dB, means of six scenes.",
        measured(robust),
        robust_tables(robust),
        "## Beside the papers",
        "The numbers of the papers were measured on other pictures, with networks trained on real footage that is not "
        "free to share, for days on several large graphics cards. Ours began as a plain merge, or as the photo, set by "
        "hand in the form of the network, and were trained from there on simulated brackets, for minutes to little "
        "more than an hour of one processor core each; the model cards say how long. "
        "The metrics are the same by definition, the pictures are not: read a column downwards, but no row across.",
        "As in the papers, ADNet comes first, although its offsets did not learn, and EAPNet stands a little above its "
        "light version. Otherwise the order of the networks is that of what an hour of a core teaches.",
        papers_table(merging, single),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def readme_part(merging: Stored, single: Stored) -> str:
    """The README's results: the best of each kind, and where the rest is."""
    names = [name for name in ordered(merging, MERGE_KEY) if not merging.is_variant(name)]
    heads = [
        metric_head(merging, MERGE_KEY),
        *(metric_head(merging, MERGE_KEY, g) for g in ("moving", "still")),
    ]
    heads += [metric_head(merging, "hdr-vdp-2@shortest"), Head("processor s", merging.seconds, 2, 0)]
    single_names = ordered(single, SINGLE_KEY)
    single_heads = [metric_head(single, key) for key in (SINGLE_KEY, "pu21-ssim", "hdr-vdp-2")]
    return "\n\n".join(
        [
            "A bracket merged: 32 simulated hand-held brackets with known light, in 24 of them something moves.",
            scores(merging, names, heads),
            "The networks of papers are not as their papers trained them: the weights here began as a plain merge, set "
            "by hand, and saw simulated brackets for minutes to little more than an hour of one processor core "
            "each; the papers trained for days on data that are not free to share. So their order here is that of "
            "their training, not of their designs. `openhdr bench paper` fills in the papers' own tables.",
            "![Quality over processor time](docs/images/benchmark-merge.svg)",
            "One photo expanded, on the middle photos of the same brackets (it clips at 100 cd/m2):",
            scores(single, single_names, [*single_heads, Head("processor s", single.seconds, 2, 0)]),
            " ".join(pending_words(merging, single)),
        ]
    ).strip()
