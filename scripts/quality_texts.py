"""What docs/quality.md says around its figures; scripts/write_quality.py puts both together."""

INTRODUCTION = """\
# Quality of the advice

How often the advice would have hurt, and what it would have saved, on public traces. Written by
`make quality`; do not edit by hand. How it is measured: [the backtest](backtest.md).

**Default** is the product's own advice: for every machine the option of least price and expected
harm, by its [predicted risk](risk.md). `published-p99.5-headroom-20` is the published rule as it
ships; it takes no budget. **capped-sweep** is the strongest simple rule, `min(P99.5, P99.9 or
maximum, times k; current)`, with its k from the past. A violation is a machine whose demand, in
the two weeks after the advice, exceeds the recommended capacity in more than 0.1 % of the
five-minute intervals although today's capacity would have carried it. What is fitted and every
knob come from windows that end before the origin and from other machines. Shares are in percent;
the intervals hold 95 %.
"""
READING_CPU = """\
Regret is what the oracle saves more with 5 % of violations, in points; "at what it spent" gives
the oracle as many violations as the policy had. The last column is paired: the same machines,
resampled with all of their origins. A machine counts once in an interval, at however many
origins.

What this says:

- The published rule takes no budget and spends far more than 5 %: it saves what the oracle saves
  at 5 %, with more than three times the violations. Its presets do not help: on the past none of
  the nine stayed within 5 %, so whoever asks for 5 % is told to keep everything.
- A multiplier from the past keeps to what is asked at the first three origins, and leaves 12 to
  15 points to the oracle. The default violates as many machines and leaves 7 to 11: it saves 3
  points more (1.2 to 5.0).
- Most of that comes from weighing harm against price, not from the features: see the ablation
  below.
- The last origin is the end of a quarter: many machines shift together, and whoever learned from
  quiet weeks, the default too, is wrong by a factor of three.
- A plain maximum with a margin (kubecost, seasonal-naive) does as well as P99.9. Rules that
  forget (vpa, n-sigma) need so much margin that little is left to save.
- 250 machines cannot tell 5 from 8 %, and 1 % of them is two.
"""
READING_ALL = """\
Memory decides most of it: whoever may never exceed it pays for the maximum. Rules that ignore
disk or network are hardly punished here: the smallest types carry what these machines read and
send. Asked for 5 %, the default and the sweep violate more, for there are more ways to. The default
saves 2 points more (0.6 to 3.3) and violates 0.9 points more, which is within what chance does.
"""
CALIBRATION = """\
O is how many machines were violated, E how many the [predicted risk](risk.md) said. "Next
cheaper" is the option just below the chosen one. Joint means any dimension, with the dimensions
taken as independent. Skill is over all options smaller than today's, against the climatology of
the past: how often options as tight were violated, on the same windows and other machines. It is
the forecast that a model has to beat.
"""
READING_CALIBRATION = """\
- At the default's options O/E lies between a half and one in the quiet fortnights, and is a
  little above 2 for the CPU alone at the end of the quarter, below it for all dimensions. It is
  meant to: a shift of the whole fleet is allowed for (1.5 in log-odds, the size of this very
  one), so quiet weeks look safer than was said and the next shift less safe. How large the
  allowance is was chosen with sight of the last origin; that O/E there is about 2 and not 4 is no
  independent success.
- Of the CPU it is the better forecast at every origin; of all dimensions the climatology is
  better in quiet weeks, by what the allowance costs, and worse at the end of the quarter. Disk
  and network have next to no violations to learn from, and skills against next to nothing mean
  little.
"""
CAPS = """\
The cheapest option of each machine whose own joint risk is within a cap: violated / predicted /
savings, in percent. No knob is chosen; this is what a limit for single machines does. Many
machines sit well below their cap, so the fleet's share is far below it.
"""
SCORES = """\
Bitbrains, all dimensions, all options smaller than today's: what the predicted risk said and how
many were violated, by the score that the API shows as `performanceRisk` ([the
table](risk.md#on-the-wire)).
"""
ABLATION = """\
The same model from other features of the past, on the CPU alone, asked for 5 %: means of the
three quiet origins / the last one. The log score is better when it is lower. "Engine" is what
ships: the daily maxima. The others are told in `backtest/ablation.py`.
"""
READING_ABLATION = """\
- The daily maxima alone buy most in quiet weeks, in the forecast and, a little, in the advice;
  nothing that was added to them does better in both, so nothing is in the engine.
- The decision is worth more than the features: with one scale for all machines, hence no feature
  at all, least expected loss still saves more than the sweep at as many violations.
- At the end of the quarter no feature helps: what came was in nobody's past.
"""
TRANSFER = """\
Violations / savings in percent. Azure tells maxima and averages of the five minutes. It has one
origin and 50 machines, so its past is one pair of weeks inside the 14 days before the origin. The
cores are unknown; four stand in, so the options are 1/16 to all of a machine.
"""
READING_TRANSFER = """\
- On maxima little can be saved: nearly every machine once used nearly all of its CPU for a
  moment. The default tries where the sweep keeps everything: two machines of 44 are violated.
- On averages of the same machines the published rule hurts half of them. Averages hide the peaks
  that the rule's margin is for, and these machines are busier than those of Bitbrains. With 40
  machines and a week to learn from, the default keeps nearer to what was asked than the sweep and
  saves less.
- What was learned does not travel: from Bitbrains to Azure both violate several times what was
  asked, and the predicted risk is too low by a factor of three; the other way it is too high by
  two. Hence a model that was fitted elsewhere informs, but does not decide, until the own fleet
  is fitted.
"""
HINDSIGHT = """\
The best setting with the test window in hand: savings in percent at 1 / 2 / 5 / 10 %. This is no
headline, for nobody could have chosen it.
"""
LOSS = """\
USD for two weeks, four origins: the cost of the recommended capacity, plus a price for every
violated machine. The knob is chosen for that price on the past. The oracle knows the test window.
"""
BEYOND = """\
Asked for 5 %, averages of the four origins: vCPU-hours that stay unserved of a million demanded,
violations when 0.5 % of the intervals are forgiven, the savings of the median machine, how many
reductions did no harm, how many of the harmless ones were made, and how many of the clipped
machines that stay clipped would be enlarged. The oracle spends its violations without mercy.
"""
READING_BEYOND = """\
The default's harm is as rare as the sweep's, and deeper: what it spends goes where the saving is
large. No option likelier violated than 80 % is ever advised; without that bound the two largest
machines of the fleet were sacrificed, and ten times as much was unserved.
"""
LOOKBACK = """\
Averages of the four origins. The knobs are those for 5 %; worse data changes what was seen, not
the knob. By days of past, everything (model, rule and knob) learned from that many days:
"""
AGREEMENT = """\
- Violations agree within two points. Savings are two to five points higher here: the capacity
  steps differ (ours: 0.25, 0.5, 1, 2, 4 ... 96 vCPU), and these are half of the machines.
- The oracle at 5 % and the best capped sweep in hindsight at 5 and 10 % agree within a few
  points, but for the sweep at the last origin. At 1 and 2 % they differ by more: that is two and
  four machines of 224.
- The learned model of those measurements is not repeated here; the default above is another one.
"""
