"""Turns samples into medians, ratios and a table."""

import math
import statistics


def median(samples, key):
    return statistics.median(sample[key] for sample in samples)


def scaled(value):
    for limit, suffix in ((1e6, " M"), (1e3, " k")):
        if value >= limit:
            return f"{value / limit:.3g}{suffix}"
    return f"{value:.3g}"


def time_text(nanoseconds):
    if nanoseconds >= 1e9:
        return f"{nanoseconds / 1e9:.3g} s"
    if nanoseconds >= 1e6:
        return f"{nanoseconds / 1e6:.3g} ms"
    if nanoseconds >= 1e3:
        return f"{nanoseconds / 1e3:.3g} us"
    return f"{nanoseconds:.0f} ns"


def p99_us(sample):
    """Returns the p99 of latency; infinity where nothing came."""
    return sample["latency_p99_us"] if sample["delivered"] > 0 else math.inf


def outcome(ok):
    return "reached" if ok else "MISSED"


def summarize(measure, samples):
    """Returns the medians of one contender's samples."""
    if measure.is_memory:
        return {"value": median(samples, "server_bytes_per_connection"),
                "troubled": sum(not clean(s) for s in samples),
                "noisy": sum(s["noisy"] for s in samples),
                "samples": len(samples)}
    return {
        "value": median(samples, "delivered_per_s"),
        "server_ns_each": median(samples, "server_ns_each"),
        "load_ns_each": median(samples, "load_ns_each"),
        "p99_us": median(samples, "latency_p99_us"),
        "limited_by_load": 2 * sum(s["limited_by_load"]
                                   for s in samples) > len(samples),
        "troubled": sum(not clean(s) for s in samples),
        "noisy": sum(s["noisy"] for s in samples),
        "samples": len(samples),
    }


def clean(sample):
    return not any(sample[key] for key in
                   ("lost", "misordered", "corrupt", "errors", "closed"))


def ratios(one, other):
    """Returns throughput and CPU efficiency of one over the other's."""
    result = {"rate": one["value"] / other["value"] if other["value"] else 0}
    if one.get("server_ns_each") and other.get("server_ns_each"):
        result["cpu"] = other["server_ns_each"] / one["server_ns_each"]
    return result


def judge(measure, medians):
    """Returns the verdict about callboard: what it reached and what it was to."""
    mine = medians.get(measure.judged)
    if not mine:
        return None
    if measure.bytes_max:
        return {"reached": mine["value"], "wanted": measure.bytes_max,
                "by": "bytes", "ok": mine["value"] <= measure.bytes_max}
    other = medians.get(measure.against)
    if not other:
        return None
    both = ratios(mine, other)
    by_cpu = mine["limited_by_load"] or other["limited_by_load"]
    reached = both["cpu"] if by_cpu and "cpu" in both else both["rate"]
    return {"reached": reached, "wanted": measure.factor,
            "by": "CPU" if by_cpu else "rate", "ok": reached >= measure.factor}


def remarks(row):
    found = []
    if row.get("limited_by_load"):
        found.append("load was the limit")
    if row["troubled"]:
        found.append(f"{row['troubled']} with losses or errors")
    if row["noisy"]:
        found.append(f"{row['noisy']} of {row['samples']} disturbed")
    return "; ".join(found)


def table(measure, medians):
    """Returns the lines of one measure."""
    base = medians.get(measure.against) or next(iter(medians.values()))
    reference = measure.against if measure.against in medians else next(
        iter(medians))
    lines = [measure.title]
    if measure.is_memory:
        for name, row in medians.items():
            lines.append(f"  {name:<18}{row['value']:>9.0f} bytes each  "
                         f"{remarks(row)}".rstrip())
    else:
        lines.append(f"  {'':<18}{measure.unit:>14}{'x':>7}"
                     f"{'server CPU':>12}{'x':>7}{'load CPU':>10}"
                     f"{'p99':>10}   (x: against {reference})")
        for name, row in medians.items():
            both = ratios(row, base)
            lines.append(
                f"  {name:<18}{scaled(row['value']):>14}{both['rate']:>7.2f}"
                f"{time_text(row['server_ns_each']):>12}"
                f"{both.get('cpu', 0):>7.2f}"
                f"{time_text(row['load_ns_each']):>10}"
                f"{time_text(row['p99_us'] * 1e3):>10}   "
                f"{remarks(row)}".rstrip())
    verdict = judge(measure, medians)
    if verdict and verdict["by"] == "bytes":
        lines.append(f"  {measure.judged}: {verdict['reached']:.0f} bytes each, at "
                     f"most {verdict['wanted']:.0f} wanted: "
                     + outcome(verdict["ok"]))
    elif verdict:
        lines.append(f"  {measure.judged}: {verdict['reached']:.2f} x "
                     f"{measure.against} by {verdict['by']}, at least "
                     f"{verdict['wanted']:.2f} wanted: "
                     + outcome(verdict["ok"]))
    return lines
