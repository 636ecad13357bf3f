//! Throughput against GPU count.

use crate::plan::Candidate;
use crate::quantity::{display_count, plural};
use crate::report::number::thousands;

use super::axis::{BOTTOM, HEIGHT, LEFT, RIGHT, TOP, frame};
use super::scale::Scale;
use super::svg::Svg;
use super::{Chart, Key, Names, series};

/// A measured throughput: GPUs, tokens per second.
pub(crate) type Measured = (u64, f64);

/// The scales of both axes.
struct Axes {
    x: Scale,
    y: Scale,
}

impl Axes {
    fn new(candidates: &[Candidate], measured: &[Measured]) -> Self {
        let gpus = candidates.iter().map(|c| c.gpus as f64);
        let gpus = gpus.chain(measured.iter().map(|(gpus, _)| *gpus as f64));
        let ends = candidates
            .iter()
            .flat_map(|c| [c.throughput_tok_s.low, c.throughput_tok_s.high]);
        let speeds = ends.chain(measured.iter().map(|(_, speed)| *speed));
        Self {
            x: Scale::log(gpus.clone(), LEFT, RIGHT).marked(gpus),
            y: Scale::log(speeds, BOTTOM, TOP),
        }
    }

    fn at(&self, gpus: u64, speed: f64) -> (f64, f64) {
        (self.x.at(gpus as f64), self.y.at(speed))
    }
}

/// Throughput against GPU count: the best configuration at each count with its interval, ideal
/// scaling from the fewest GPUs, and measured rows of the same model.
pub(crate) fn scaling(candidates: &[Candidate], measured: &[Measured]) -> Chart {
    let axes = Axes::new(candidates, measured);
    let mut svg = Svg::default();
    frame(&mut svg, &axes.x, &axes.y, ("GPUs", "tokens per second"));
    let names = Names::of_clusters(candidates);
    for (index, name) in names.0.iter().enumerate() {
        let own: Vec<&Candidate> = candidates.iter().filter(|c| c.cluster == *name).collect();
        cluster(&mut svg, &axes, &own, index);
    }
    for (gpus, speed) in measured {
        let said = format!("measured on {gpus} GPUs: {} tokens/s", thousands(*speed));
        svg.dot("measured", axes.at(*gpus, *speed), 5.5, &said);
    }
    let mut legend = names.keys();
    legend.push(Key::new("band", "interval"));
    legend.push(Key::new("ideal", "ideal scaling from the fewest GPUs"));
    let rows = if measured.is_empty() {
        "No row of this model was measured at this sequence length on these GPUs."
    } else {
        legend.push(Key::new("measured", "measured"));
        "Rings are measured rows of this model at this sequence length on these GPUs."
    };
    let title = "Throughput against GPUs";
    Chart {
        title: title.to_owned(),
        svg: svg.finish("scaling", HEIGHT, title, &described(candidates, measured)),
        legend,
        caption: format!(
            "The best configuration at each GPU count; the global batch stays the same. {rows}"
        ),
    }
}

/// The band, the ideal and the points of one cluster.
fn cluster(svg: &mut Svg, axes: &Axes, own: &[&Candidate], index: usize) {
    let class = series(index);
    let at = |c: &&Candidate, speed: f64| axes.at(c.gpus, speed);
    let low = own.iter().map(|c| at(c, c.throughput_tok_s.low));
    let high = own.iter().rev().map(|c| at(c, c.throughput_tok_s.high));
    let band: Vec<(f64, f64)> = low.chain(high).collect();
    svg.polygon(&format!("band {class}"), &band);
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
    svg.polyline(&format!("line {class}"), &line);
    for c in own {
        let speed = c.throughput_tok_s;
        // A band of one point has no width.
        let whisker = format!("whisker {class}");
        svg.line(&whisker, at(c, speed.low), at(c, speed.high));
        let said = format!("{} GPUs: {} tokens/s", c.gpus, thousands(speed.expected));
        svg.point(index, at(c, speed.expected), 3.5, &said);
    }
}

fn described(candidates: &[Candidate], measured: &[Measured]) -> String {
    let predicted = candidates.iter().map(|c| {
        let speed = c.throughput_tok_s;
        format!(
            "{} {} of {}: {} ({} to {})",
            c.gpus,
            plural(c.gpus, "GPU"),
            c.cluster,
            display_count(speed.expected),
            display_count(speed.low),
            display_count(speed.high)
        )
    });
    let rows = measured
        .iter()
        .map(|(gpus, speed)| format!("measured on {gpus} GPUs: {}", display_count(*speed)));
    let said: Vec<String> = predicted.chain(rows).collect();
    format!("Tokens per second: {}", said.join("; "))
}
