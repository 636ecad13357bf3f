//! Time against cost, with the choices that nothing beats in both.

use crate::plan::Candidate;
use crate::quantity::{Interval, display_hours, plural};
use crate::report::number::{TimeUnit, thousands};
use crate::report::words::same;

use super::axis::{BOTTOM, HEIGHT, LEFT, Labels, RIGHT, TOP, frame};
use super::scale::Scale;
use super::svg::Svg;
use super::{Chart, Key, Names, series};

/// Those that none other beats in both time and cost, fastest first.
fn pareto(candidates: &[Candidate], cost: impl Fn(&Candidate) -> Option<f64>) -> Vec<&Candidate> {
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

/// What is spent on a candidate: dollars, or GPU-hours where no price is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spent {
    Dollars,
    GpuHours,
}

impl Spent {
    fn on(self, c: &Candidate) -> Option<Interval> {
        match self {
            Self::Dollars => c.cost_usd,
            Self::GpuHours => Some(c.gpu_hours),
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            Self::Dollars => format!("${}", thousands(value)),
            Self::GpuHours => format!("{} GPU-hours", thousands(value)),
        }
    }
}

/// A candidate on the chart: where its expected value and the ends of its interval stand.
struct Mark<'a> {
    candidate: &'a Candidate,
    spent: Interval,
    at: (f64, f64),
    low: (f64, f64),
    high: (f64, f64),
}

/// Time against cost, with the candidates that nothing beats in both joined by a line; against
/// GPU-hours where no price is known. `best` is the one that is recommended.
pub(crate) fn cost_time(candidates: &[Candidate], best: Option<&Candidate>) -> Chart {
    let spent = if candidates.iter().any(|c| c.cost_usd.is_some()) {
        Spent::Dollars
    } else {
        Spent::GpuHours
    };
    let shown: Vec<(&Candidate, Interval)> = candidates
        .iter()
        .filter_map(|c| Some((c, spent.on(c)?)))
        .collect();
    let longest = shown
        .iter()
        .map(|(c, _)| c.time_to_budget_h.expected)
        .fold(0.0, f64::max);
    let unit = TimeUnit::of_hours(longest);
    let times = shown
        .iter()
        .flat_map(|(c, _)| [c.time_to_budget_h.low, c.time_to_budget_h.high]);
    let x = Scale::fitting(times.map(|hours| unit.convert(hours)), LEFT, RIGHT);
    let ends = shown.iter().flat_map(|(_, spent)| [spent.low, spent.high]);
    let y = Scale::fitting(ends, BOTTOM, TOP);
    let (title, what) = match spent {
        Spent::Dollars => ("Time against cost", "cost, $"),
        Spent::GpuHours => ("Time against GPU-hours", "GPU-hours"),
    };
    let mut svg = Svg::default();
    let x_name = format!("time to the token budget, {}", unit.name);
    frame(&mut svg, &x, &y, (&x_name, what));
    let places: Vec<Mark<'_>> = shown
        .into_iter()
        .map(|(candidate, spent)| {
            let time = candidate.time_to_budget_h;
            let at = |hours: f64, spent: f64| (x.at(unit.convert(hours)), y.at(spent));
            Mark {
                candidate,
                spent,
                at: at(time.expected, spent.expected),
                low: at(time.low, spent.low),
                high: at(time.high, spent.high),
            }
        })
        .collect();
    let front = pareto(candidates, |c| spent.on(c).map(|spent| spent.expected));
    let names = Names::of_clusters(candidates);
    draw(&mut svg, &places, spent, &front, (&names, best));
    let on_chart = |key: &Key| {
        places
            .iter()
            .any(|place| place.candidate.cluster == key.name)
    };
    let mut legend = names.keys();
    let all = legend.len();
    legend.retain(on_chart);
    let left_out = if legend.len() < all {
        " Clusters without a price are left out."
    } else {
        ""
    };
    legend.push(Key::new("whisker", "interval"));
    legend.push(Key::new("front", "nothing is both faster and cheaper"));
    if best.is_some_and(|best| places.iter().any(|place| same(place.candidate, best))) {
        legend.push(Key::new("chosen", "recommended"));
    }
    Chart {
        title: title.to_owned(),
        svg: svg.finish("cost-time", HEIGHT, title, &described(&front, spent)),
        legend,
        caption: format!(
            "The best configuration at each GPU count, which the number gives. A run that takes \
             longer costs more, so that an interval is one line from both low ends to both high \
             ends.{left_out}"
        ),
    }
}

fn draw(
    svg: &mut Svg,
    places: &[Mark<'_>],
    spent: Spent,
    front: &[&Candidate],
    (names, best): (&Names, Option<&Candidate>),
) {
    for place in places {
        let index = names.of(&place.candidate.cluster);
        svg.line(&format!("whisker {}", series(index)), place.low, place.high);
    }
    let on_front = |place: &&Mark<'_>| front.iter().any(|c| same(c, place.candidate));
    let mut joined: Vec<&Mark<'_>> = places.iter().filter(on_front).collect();
    joined.sort_by(|a, b| a.at.0.total_cmp(&b.at.0));
    let line: Vec<(f64, f64)> = joined.iter().map(|place| place.at).collect();
    svg.polyline("front", &line);
    let mut labels = Labels::default();
    for place in places {
        let c = place.candidate;
        let said = format!(
            "{} × {} of {}: {}, {}",
            c.gpus,
            c.gpu,
            c.cluster,
            display_hours(c.time_to_budget_h.expected),
            spent.show(place.spent.expected)
        );
        if best.is_some_and(|best| same(c, best)) {
            svg.dot("chosen", place.at, 8.0, &said);
        }
        svg.point(names.of(&c.cluster), place.at, 4.5, &said);
    }
    for place in joined {
        labels.place(svg, place.at, &place.candidate.gpus.to_string());
    }
}

fn described(front: &[&Candidate], spent: Spent) -> String {
    let said: Vec<String> = front
        .iter()
        .map(|c| {
            let amount = spent
                .on(c)
                .map_or_else(String::new, |amount| spent.show(amount.expected));
            let time = display_hours(c.time_to_budget_h.expected);
            let gpus = plural(c.gpus, "GPU");
            format!("{} {gpus} of {}: {time}, {amount}", c.gpus, c.cluster)
        })
        .collect();
    format!(
        "Nothing is both faster and cheaper than: {}",
        said.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture::candidate;
    use proptest::prelude::*;

    #[test]
    fn a_cluster_keeps_its_colour_where_another_has_no_price() {
        let (mut unpriced, priced) = (candidate(), candidate());
        unpriced.cluster = "unpriced".into();
        unpriced.cost_usd = None;
        let chart = cost_time(&[unpriced, priced.clone()], None);
        let key = chart.legend.first().unwrap();
        assert_eq!((key.class.as_str(), &key.name), ("dot s1", &priced.cluster));
        assert!(
            chart.svg.contains(r#"class="dot s1""#) && !chart.svg.contains(r#"class="dot s0""#)
        );
        assert!(chart.caption.ends_with("left out."));
    }

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
