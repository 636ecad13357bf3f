//! A sketch of points in a terminal: both axes logarithmic, one character a point.

/// Columns and rows of the drawing area.
const SIZE: (usize, usize) = (64, 12);

/// A point to draw, its mark, and what its coordinates are shown as at the ends of the axes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dot {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) mark: char,
}

/// How a number is written at the end of an axis.
pub(super) type Show = fn(f64) -> String;

/// Draws the dots, later ones over earlier ones, with the ends of both axes written beside them;
/// nothing when an axis has no extent or a dot has no logarithm.
pub(super) fn sketch(
    dots: &[Dot],
    (x_name, y_name): (&str, &str),
    (show_x, show_y): (Show, Show),
) -> Option<String> {
    let (x_low, x_high) = extent(dots.iter().map(|dot| dot.x))?;
    let (y_low, y_high) = extent(dots.iter().map(|dot| dot.y))?;
    let mut rows = vec![vec![' '; SIZE.0]; SIZE.1];
    for dot in dots {
        let column = place(dot.x, x_low, x_high, SIZE.0);
        let row = SIZE.1 - 1 - place(dot.y, y_low, y_high, SIZE.1);
        if let Some(cell) = rows.get_mut(row).and_then(|row| row.get_mut(column)) {
            *cell = dot.mark;
        }
    }
    let (top, bottom) = (show_y(y_high), show_y(y_low));
    let margin = top.chars().count().max(bottom.chars().count());
    let mut lines = vec![format!("{:margin$} {y_name}", "")];
    for (index, row) in rows.iter().enumerate() {
        let label = match index {
            0 => top.as_str(),
            _ if index + 1 == SIZE.1 => bottom.as_str(),
            _ => "",
        };
        let line: String = row.iter().collect();
        lines.push(format!("{label:>margin$} │{line}"));
    }
    let (left, right) = (show_x(x_low), show_x(x_high));
    let between = SIZE.0.saturating_sub(left.chars().count());
    lines.push(format!("{:margin$} └{}", "", "─".repeat(SIZE.0)));
    lines.push(format!("{:margin$}  {left}{right:>between$} {x_name}", ""));
    Some(lines.join("\n"))
}

/// The least and the largest value; `None` when they are the same or have no logarithm.
fn extent(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64)> {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(f64::NEG_INFINITY, f64::max);
    (low > 0.0 && high > low && high.is_finite()).then_some((low, high))
}

/// The cell of a value between two others, on a logarithmic axis of so many cells.
fn place(value: f64, low: f64, high: f64, cells: usize) -> usize {
    let share = (value / low).ln() / (high / low).ln();
    let last = cells.saturating_sub(1);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a few dozen cells; the cast saturates"
    )]
    let cell = (share * last as f64).round() as usize;
    cell.min(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(points: &[(f64, f64)]) -> Option<String> {
        let dots: Vec<Dot> = points
            .iter()
            .map(|&(x, y)| Dot { x, y, mark: 'o' })
            .collect();
        let show: Show = |value| format!("{value:.0}");
        sketch(&dots, ("days", "$"), (show, show))
    }

    #[test]
    fn decades_are_evenly_spaced() {
        let text = drawn(&[(1.0, 1.0), (10.0, 10.0), (100.0, 100.0)]).unwrap();
        let columns: Vec<usize> = text
            .lines()
            .filter_map(|line| line.chars().position(|c| c == 'o'))
            .collect();
        assert_eq!(columns.len(), 3, "{text}");
        assert!((columns[0] - columns[1]).abs_diff(columns[1] - columns[2]) <= 1);
        assert!(text.lines().all(|line| line.chars().count() <= 100));
    }

    #[test]
    fn there_is_nothing_to_draw_without_extent() {
        assert_eq!(drawn(&[]), None);
        assert_eq!(drawn(&[(1.0, 2.0), (3.0, 2.0)]), None);
        assert_eq!(drawn(&[(0.0, 2.0), (3.0, 5.0)]), None);
    }
}
