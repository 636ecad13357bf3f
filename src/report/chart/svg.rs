//! SVG elements. Text is escaped here, and nowhere else text is drawn.

use std::fmt::Write;

/// Width of every chart in its own units, which are about a pixel on a phone, where a chart takes
/// the whole width: text is drawn to be read there.
pub(crate) const WIDTH: f64 = 360.0;

/// A generous guess at a character's width: no font is known here.
const CHARACTER: f64 = 7.0;

/// About how wide a text is drawn.
pub(crate) fn text_width(text: &str) -> f64 {
    text.chars().count() as f64 * CHARACTER
}

/// What of a text fits in so much room.
pub(crate) fn shortened(text: &str, room: f64) -> String {
    if text_width(text) <= room {
        return text.to_owned();
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a few characters; saturates"
    )]
    let kept = (room / CHARACTER).floor() as usize;
    let kept: String = text.chars().take(kept.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// A picture being drawn; colours are classes that the page's style gives, light or dark.
#[derive(Debug, Default)]
pub(crate) struct Svg {
    body: String,
}

/// Where a text stands relative to its point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

/// What a point looks like, so that colour is never alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
}

impl Shape {
    fn of(series: usize) -> Self {
        match series % 4 {
            0 => Self::Circle,
            1 => Self::Square,
            2 => Self::Triangle,
            _ => Self::Diamond,
        }
    }
}

impl Svg {
    pub(crate) fn line(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        let _ = write!(
            self.body,
            r#"<line class="{class}" x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}"/>"#
        );
    }

    pub(crate) fn polyline(&mut self, class: &str, points: &[(f64, f64)]) {
        let _ = write!(
            self.body,
            r#"<polyline class="{class}" points="{}"/>"#,
            joined(points)
        );
    }

    pub(crate) fn polygon(&mut self, class: &str, points: &[(f64, f64)]) {
        let _ = write!(
            self.body,
            r#"<polygon class="{class}" points="{}"/>"#,
            joined(points)
        );
    }

    /// Draws another picture over this one.
    pub(crate) fn append(&mut self, other: &Self) {
        self.body += &other.body;
    }

    /// A dot; `title` is what a pointer over it shows.
    pub(crate) fn dot(&mut self, class: &str, at: (f64, f64), radius: f64, title: &str) {
        self.shape(
            Shape::Circle,
            &format!(r#"class="{class}""#),
            at,
            radius,
            title,
        );
    }

    /// A point of one of several series, told apart by colour and by shape.
    pub(crate) fn point(&mut self, series: usize, at: (f64, f64), radius: f64, title: &str) {
        let class = format!(r#"class="dot {}""#, super::series(series));
        self.shape(Shape::of(series), &class, at, radius, title);
    }

    fn shape(&mut self, shape: Shape, class: &str, at: (f64, f64), radius: f64, title: &str) {
        let ((x, y), r) = (at, radius);
        let title = escaped(title);
        let polygon =
            |points: &[(f64, f64)]| format!(r#"polygon {class} points="{}""#, joined(points));
        let element = match shape {
            Shape::Circle => format!(r#"circle {class} cx="{x:.1}" cy="{y:.1}" r="{r}""#),
            Shape::Square => {
                let r = r * 0.88;
                polygon(&[
                    (x - r, y - r),
                    (x + r, y - r),
                    (x + r, y + r),
                    (x - r, y + r),
                ])
            }
            Shape::Triangle => {
                let r = r * 1.15;
                polygon(&[(x, y - r), (x + r, y + r * 0.8), (x - r, y + r * 0.8)])
            }
            Shape::Diamond => {
                let r = r * 1.25;
                polygon(&[(x, y - r), (x + r, y), (x, y + r), (x - r, y)])
            }
        };
        let name = element.split(' ').next().unwrap_or_default();
        let _ = write!(self.body, "<{element}><title>{title}</title></{name}>");
    }

    pub(crate) fn bar(&mut self, class: &str, at: (f64, f64), size: (f64, f64), title: &str) {
        let ((x, y), (width, height)) = (at, size);
        let _ = write!(
            self.body,
            r#"<rect class="{class}" x="{x:.1}" y="{y:.1}" width="{:.1}" height="{height:.1}"><title>{}</title></rect>"#,
            width.max(0.0),
            escaped(title)
        );
    }

    pub(crate) fn text(&mut self, class: &str, at: (f64, f64), anchor: Anchor, text: &str) {
        let (x, y) = at;
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let _ = write!(
            self.body,
            r#"<text class="{class}" x="{x:.1}" y="{y:.1}" text-anchor="{anchor}">{}</text>"#,
            escaped(text)
        );
    }

    /// The picture, with what a reader hears who can't see it; `id` is unique on the page.
    pub(crate) fn finish(self, id: &str, height: f64, title: &str, description: &str) -> String {
        format!(
            r#"<svg class="chart" role="img" viewBox="0 0 {WIDTH} {height}" aria-labelledby="{id}-t {id}-d"><title id="{id}-t">{}</title><desc id="{id}-d">{}</desc>{}</svg>"#,
            escaped(title),
            escaped(description),
            self.body
        )
    }
}

fn joined(points: &[(f64, f64)]) -> String {
    let points: Vec<String> = points
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    points.join(" ")
}

/// The text as XML content or as a quoted attribute; characters that XML has no place for become
/// spaces.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
