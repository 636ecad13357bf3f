//! Plots with two axes: time against cost, throughput against GPUs, predicted against measured.

use crate::plan::Candidate;
use crate::quantity::{display_count, display_hours};
use crate::report::number::{TimeUnit, thousands};
use crate::throughput::evaluate::RowResult;

use super::axis::{BOTTOM, HEIGHT, LEFT, Labels, RIGHT, TOP, frame};
use super::scale::Scale;
use super::svg::Svg;
use super::{Chart, Key, series};

/// Names of the clusters, in order of appearance, with the class of each.
fn clusters(candidates: &[Candidate]) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for c in candidates {
        if !keys.iter().any(|key| key.name == c.cluster) {
            keys.push(Key::new(series(keys.len()), c.cluster.as_str()));
        }
    }
    keys
}

fn class_of<'a>(keys: &'a [Key], cluster: &str) -> &'a str {
    let key = keys.iter().find(|key| key.name == cluster);
    key.map_or("s0", |key| key.class.as_str())
}

/// Those that none other beats in both time and cost, fastest first.
pub(crate) fn pareto(
    candidates: &[Candidate],
    cost: impl Fn(&Candidate) -> Option<f64>,
) -> Vec<&Candidate> {
    let mut by_time: Vec<(&Candidate, f64)> = candidates
        .iter()
        .filter_map(|c| Some((c, cost(c)?)))
        .collect();
    by_time.sort_by(|a, b| {
        let times = (a.0.time_to_budget_h.expected, b.0.time_to_budget_h.expected);
        times.0.total_cmp(&times.1).then(a.1.total_cmp(&b.1))
    });
    let mut least = f64::INFINITY;
    by_time.retain(|(_, cost)| {
        let better = *cost < least;
        least = least.min(*cost);
        better
    });
    by_time.into_iter().map(|(c, _)| c).collect()
}

/// Time against cost, with the candidates that nothing beats in both joined by a line; against
/// GPU-hours where no price is known.
pub(crate) fn cost_time(candidates: &[Candidate]) -> Chart {
    let priced = candidates.iter().any(|c| c.cost_usd.is_some());
    let spent = |c: &Candidate| {
        if priced {
            c.cost_usd
        } else {
            Some(c.gpu_hours)
        }
    };
    let shown: Vec<&Candidate> = candidates.iter().filter(|c| spent(c).is_some()).collect();
    let longest = shown
        .iter()
        .map(|c| c.time_to_budget_h.expected)
        .fold(0.0, f64::max);
    let unit = TimeUnit::of_hours(longest);
    let times = shown
        .iter()
        .flat_map(|c| [c.time_to_budget_h.low, c.time_to_budget_h.high]);
    let x = Scale::log(times.map(|hours| unit.convert(hours)), LEFT, RIGHT);
    let ends = shown
        .iter()
        .filter_map(|c| spent(c))
        .flat_map(|s| [s.low, s.high]);
    let y = Scale::log(ends, BOTTOM, TOP);
    let what = if priced { "cost, $" } else { "GPU-hours" };
    let mut svg = Svg::default();
    frame(
        &mut svg,
        &x,
        &y,
        (&format!("time to the token budget, {}", unit.name), what),
    );
    let keys = clusters(candidates);
    let place = |c: &Candidate| {
        let spent = spent(c).map_or(0.0, |spent| spent.expected);
        (x.at(unit.convert(c.time_to_budget_h.expected)), y.at(spent))
    };
    for c in &shown {
        let (at_x, at_y) = place(c);
        let time = c.time_to_budget_h;
        let class = format!("whisker {}", class_of(&keys, &c.cluster));
        let (low, high) = (x.at(unit.convert(time.low)), x.at(unit.convert(time.high)));
        svg.line(&class, (low, at_y), (high, at_y));
        if let Some(spent) = spent(c) {
            svg.line(&class, (at_x, y.at(spent.low)), (at_x, y.at(spent.high)));
        }
    }
    let front = pareto(candidates, |c| spent(c).map(|spent| spent.expected));
    let points: Vec<(f64, f64)> = front.iter().map(|c| place(c)).collect();
    svg.polyline("front", &points);
    let mut labels = Labels::default();
    for c in &shown {
        let said = spent(c).map_or(0.0, |spent| spent.expected);
        let title = format!(
            "{} × {} of {}: {}, {} {}",
            c.gpus,
            c.gpu,
            c.cluster,
            display_hours(c.time_to_budget_h.expected),
            what,
            thousands(said)
        );
        svg.dot(
            &format!("dot {}", class_of(&keys, &c.cluster)),
            place(c),
            4.5,
            &title,
        );
    }
    for c in &front {
        labels.place(&mut svg, place(c), &c.gpus.to_string());
    }
    let said: Vec<String> = front
        .iter()
        .map(|c| format!("{} GPUs of {}", c.gpus, c.cluster))
        .collect();
    let title = if priced {
        "Time against cost"
    } else {
        "Time against GPU-hours"
    };
    let mut legend = keys;
    legend.push(Key::new("front", "nothing is both faster and cheaper"));
    Chart {
        title: title.to_owned(),
        svg: svg.finish(
            "cost-time",
            HEIGHT,
            title,
            &format!("Best of both: {}", said.join(", ")),
        ),
        legend,
        caption: "The best configuration at each GPU count; numbers are GPUs, whiskers the \
                  intervals. Both axes are logarithmic."
            .to_owned(),
    }
}

/// A measured throughput: GPUs, tokens per second.
pub(crate) type Measured = (u64, f64);

/// Throughput against GPU count: the best configuration at each count with its interval, ideal
/// scaling from the fewest GPUs, and measured rows of the same model.
pub(crate) fn scaling(candidates: &[Candidate], measured: &[Measured]) -> Chart {
    let gpus = candidates.iter().map(|c| c.gpus as f64);
    let rows = measured.iter().map(|(gpus, _)| *gpus as f64);
    let x = Scale::log(gpus.chain(rows), LEFT, RIGHT);
    let ends = candidates
        .iter()
        .flat_map(|c| [c.throughput_tok_s.low, c.throughput_tok_s.high]);
    let y = Scale::log(
        ends.chain(measured.iter().map(|(_, speed)| *speed)),
        BOTTOM,
        TOP,
    );
    let mut svg = Svg::default();
    frame(&mut svg, &x, &y, ("GPUs", "tokens per second"));
    let keys = clusters(candidates);
    for key in &keys {
        let own: Vec<&Candidate> = candidates
            .iter()
            .filter(|c| c.cluster == key.name)
            .collect();
        let at = |c: &&Candidate, speed: f64| (x.at(c.gpus as f64), y.at(speed));
        let low = own.iter().map(|c| at(c, c.throughput_tok_s.low));
        let high = own.iter().rev().map(|c| at(c, c.throughput_tok_s.high));
        let band: Vec<(f64, f64)> = low.chain(high).collect();
        svg.polygon(&format!("band {}", key.class), &band);
        if let (Some(first), Some(last)) = (own.first(), own.last()) {
            let share = first.throughput_tok_s_gpu.expected;
            let ideal = [
                at(first, share * first.gpus as f64),
                at(last, share * last.gpus as f64),
            ];
            svg.polyline("ideal", &ideal);
        }
        let line: Vec<_> = own
            .iter()
            .map(|c| at(c, c.throughput_tok_s.expected))
            .collect();
        svg.polyline(&format!("line {}", key.class), &line);
        for c in &own {
            let said = format!(
                "{} GPUs: {} tokens/s",
                c.gpus,
                thousands(c.throughput_tok_s.expected)
            );
            let class = format!("dot {}", key.class);
            svg.dot(&class, at(c, c.throughput_tok_s.expected), 3.5, &said);
        }
    }
    for (gpus, speed) in measured {
        let said = format!("measured on {gpus} GPUs: {} tokens/s", thousands(*speed));
        svg.dot("measured", (x.at(*gpus as f64), y.at(*speed)), 4.0, &said);
    }
    let said: Vec<String> = candidates
        .iter()
        .map(|c| {
            format!(
                "{} GPUs of {}: {}",
                c.gpus,
                c.cluster,
                display_count(c.throughput_tok_s.expected)
            )
        })
        .collect();
    let mut legend = keys;
    legend.push(Key::new("ideal", "ideal scaling from the fewest GPUs"));
    if !measured.is_empty() {
        legend.push(Key::new("measured", "measured rows of this model"));
    }
    let title = "Throughput against GPUs";
    Chart {
        title: title.to_owned(),
        svg: svg.finish(
            "scaling",
            HEIGHT,
            title,
            &format!("Tokens per second: {}", said.join("; ")),
        ),
        legend,
        caption: "The best configuration at each GPU count, with its interval; the global batch \
                  stays the same. Both axes are logarithmic."
            .to_owned(),
    }
}

/// Predicted against measured throughput of rows that the fit did not see.
pub(crate) fn accuracy(rows: &[RowResult], protocol: &str) -> Chart {
    let measured = rows.iter().map(|row| row.measured_tok_s / row.gpus as f64);
    let predicted = rows
        .iter()
        .map(|row| row.predicted_tok_s.expected / row.gpus as f64);
    let both: Vec<f64> = measured.chain(predicted).collect();
    let x = Scale::log(both.iter().copied(), LEFT, RIGHT);
    let y = Scale::log(both.iter().copied(), BOTTOM, TOP);
    let mut svg = Svg::default();
    frame(
        &mut svg,
        &x,
        &y,
        (
            "measured tokens per second and GPU",
            "predicted tokens per second and GPU",
        ),
    );
    svg.line("ideal", (LEFT, BOTTOM), (RIGHT, TOP));
    let mut keys: Vec<Key> = Vec::new();
    for row in rows {
        let name = format!("{} GPUs", row.gpus);
        if !keys.iter().any(|key| key.name == name) {
            keys.push(Key::new(series(keys.len()), name.clone()));
        }
        let class = class_of(&keys, &name).to_owned();
        let (real, said) = (
            row.measured_tok_s / row.gpus as f64,
            row.predicted_tok_s.expected / row.gpus as f64,
        );
        let title = format!(
            "{} on {} GPUs, sequence {}: measured {}, predicted {}",
            row.model,
            row.gpus,
            row.seq_len,
            thousands(row.measured_tok_s),
            thousands(row.predicted_tok_s.expected)
        );
        svg.dot(
            &format!("dot small {class}"),
            (x.at(real), y.at(said)),
            2.5,
            &title,
        );
    }
    keys.push(Key::new("ideal", "predicted = measured"));
    let title = "Predicted against measured";
    let said = format!(
        "{} measured rows, each predicted by a fit that did not see {protocol}",
        rows.len()
    );
    Chart {
        title: title.to_owned(),
        svg: svg.finish("accuracy", HEIGHT, title, &said),
        legend: keys,
        caption: format!("{said}. Both axes are logarithmic."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::candidate;
    use proptest::prelude::*;

    proptest! {
        /// Against the definition: on the front is what no other beats in both.
        #[test]
        fn the_front_is_what_nothing_beats(
            places in prop::collection::vec((1..20_u32, 1..20_u32), 0..12),
        ) {
            let candidates: Vec<Candidate> = places
                .iter()
                .map(|(time, cost)| {
                    let mut c = candidate();
                    c.time_to_budget_h.expected = f64::from(*time);
                    c.gpu_hours.expected = f64::from(*cost);
                    c
                })
                .collect();
            let place = |c: &Candidate| (c.time_to_budget_h.expected, c.gpu_hours.expected);
            let beaten = |c: &&Candidate| candidates.iter().any(|other| {
                let ((t, m), (time, cost)) = (place(other), place(c));
                t <= time && m <= cost && (t < time || m < cost)
            });
            let front = pareto(&candidates, |c| Some(c.gpu_hours.expected));
            let mut found: Vec<(f64, f64)> = front.iter().map(|c| place(c)).collect();
            let mut expected: Vec<(f64, f64)> =
                candidates.iter().filter(|c| !beaten(c)).map(place).collect();
            expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
            expected.dedup();
            found.dedup();
            prop_assert_eq!(found, expected);
        }
    }
}
