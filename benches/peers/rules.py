"""Held-out figures of the rules in the JSON of `recluster fit`, from standard input.

recluster fit --data FILE --out FOLDER | python benches/peers/rules.py
"""
import json
import sys
from statistics import median

found = json.load(sys.stdin)
clusters = found["rules"]
first = [c["rules"][0] for c in clusters if c["rules"]]
print(f"{len(clusters)} clusters, {sum(len(c['rules']) for c in clusters)} rules, {len(clusters) - len(first)} without")
print(f"all rules: median precision {median(c['precision'] for c in clusters):.3f}, "
      f"recall {median(c['recall'] for c in clusters):.3f}")
if first:
    print(f"first rule: median precision {median(r['precision'] for r in first):.3f}, "
          f"recall {median(r['recall'] for r in first):.3f}, "
          f"returned {median(r['returned'] or 0 for r in first):.2f}, "
          f"conditions {median(len(r['conditions']) for r in first):g}")
seconds = found["seconds"]
print(f"seconds: rules {seconds.get('rules', 0):.2f} of {seconds['total']:.2f}")
