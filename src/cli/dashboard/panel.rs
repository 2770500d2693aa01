//! The panels of a dashboard: curves, and the agent's picture.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::symbols::Marker;
use ratatui::text::Line;
use ratatui::widgets::{Axis, Block, BorderType, Chart, Dataset, GraphType, Paragraph, Wrap};

use super::agent::Scene;
use super::board::Board;
use super::curve::Curve;
use crate::envs::Colour;
use crate::{render, screen};

/// Lines from which on a curve has room for more than itself.
const TALL: u16 = 8;

pub(super) const FAINT: Style = Style::new().fg(Color::DarkGray);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);

fn block(title: String) -> Block<'static> {
    Block::bordered().border_type(BorderType::Rounded).border_style(FAINT).title(Line::styled(title, BOLD))
}

/// The curve of the returns, with evaluations and the return at which the task is solved.
pub(super) fn returns(frame: &mut Frame<'_>, area: Rect, board: &Board) {
    let last = |curve: &Curve| curve.last().map_or("-".into(), |last| screen::amounts([last])[0].clone());
    let mut title = format!(" return {} ", last(&board.returns));
    if board.evaluations.last().is_some() {
        title.push_str(&format!("• evaluated {} ", last(&board.evaluations)));
    }
    let (curve, evaluations) = (board.returns.points(), board.evaluations.points());
    if curve.is_empty() && evaluations.is_empty() {
        let text = if board.env_steps == 0 { "no update yet" } else { "no episode has ended yet" };
        return frame.render_widget(Paragraph::new(text).style(FAINT).block(block(title)), area);
    }
    let Some([low, high]) = range(curve.iter().chain(evaluations)) else { return };
    // A line that is far off would flatten all others.
    let near = |goal: &f64| goal - high < (high - low) * 3.0 && low - goal < (high - low) * 3.0;
    // Nor would it leave anything to be seen of others in a few lines.
    let goal = board.threshold.filter(near).filter(|_| area.height > TALL);
    let [low, high] = goal.map_or([low, high], |goal| [low.min(goal), high.max(goal)]);
    let end = curve.iter().chain(evaluations).map(|(x, _)| *x).fold(1.0, f64::max);
    let solved = goal.map(|goal| [(0.0, goal), (end, goal)]);
    let mut sets = Vec::new();
    sets.extend(solved.as_ref().map(|line| set(line, GraphType::Line, Marker::Braille, FAINT)));
    sets.push(set(curve, GraphType::Line, Marker::Braille, Style::new().fg(Color::Cyan)));
    sets.push(set(evaluations, GraphType::Scatter, Marker::Dot, Style::new().fg(Color::Yellow)));
    let steps = ["0".to_string(), format!("{} steps", indicatif::HumanCount(end as u64))];
    let across = Axis::default().bounds([0.0, end]).style(FAINT);
    let across = if area.height > TALL { across.labels(steps) } else { across };
    let down = Axis::default().bounds([low, high]).style(FAINT).labels(screen::amounts([low, high]));
    frame.render_widget(Chart::new(sets).x_axis(across).y_axis(down).legend_position(None).block(block(title)), area);
}

/// A small curve under the last value of it.
pub(super) fn small(frame: &mut Frame<'_>, area: Rect, name: &str, curve: &Curve) {
    let value = curve.last().map_or("-".into(), |last| screen::amounts([last])[0].clone());
    let Some([low, high]) = range(curve.points().iter()) else { return };
    let ends = (curve.points().first(), curve.points().last());
    let bounds = [ends.0.map_or(0.0, |(x, _)| *x), ends.1.map_or(1.0, |(x, _)| *x)];
    let sets = vec![set(curve.points(), GraphType::Line, Marker::Braille, Style::new().fg(Color::Magenta))];
    let down = Axis::default().bounds([low, high]).style(FAINT).labels(screen::amounts([low, high]));
    let chart = Chart::new(sets).x_axis(Axis::default().bounds(bounds)).y_axis(down);
    frame.render_widget(chart.legend_position(None).block(block(format!(" {name} {value} "))), area);
}

fn set<'a>(points: &'a [(f64, f64)], of: GraphType, marker: Marker, style: Style) -> Dataset<'a> {
    Dataset::default().data(points).graph_type(of).marker(marker).style(style)
}

/// From the lowest to the highest value; of equal ones a little around them.
fn range<'a>(points: impl Iterator<Item = &'a (f64, f64)>) -> Option<[f64; 2]> {
    let (low, high) = points.map(|(_, y)| *y).fold((f64::MAX, f64::MIN), |(low, high), y| (low.min(y), high.max(y)));
    let size = low.abs().max(high.abs());
    match high - low {
        width if !width.is_finite() || width < 0.0 => None,
        width if width <= size * 1e-6 => {
            Some(if size == 0.0 { [-1.0, 1.0] } else { [low - 0.1 * size, high + 0.1 * size] })
        }
        _ => Some([low, high]),
    }
}

/// How many columns the picture has in so many lines, borders among both.
pub(super) fn columns(scene: &Scene, rows: u16) -> u16 {
    let aspect = scene.drawing.as_ref().map_or(1.0, |drawing| drawing.width / drawing.height);
    // A character is twice as high as wide.
    (f32::from(rows.saturating_sub(2)) * 2.0 * aspect).round() as u16 + 2
}

/// The agent, as large as it fits.
pub(super) fn agent(frame: &mut Frame<'_>, area: Rect, scene: &Scene) {
    let own = block(" the agent ".into());
    let inner = own.inner(area);
    let Some(drawing) = &scene.drawing else {
        let words = if scene.words.is_empty() { "it is about to play" } else { &scene.words };
        return frame.render_widget(Paragraph::new(words).style(FAINT).wrap(Wrap { trim: true }).block(own), area);
    };
    frame.render_widget(own.title_bottom(Line::styled(format!(" {} ", scene.words), FAINT)), area);
    let Ok(lines) = render::half_blocks(drawing, inner.width.clamp(1, 1000).into(), inner.height.clamp(1, 1000).into())
    else {
        return;
    };
    let wide = lines.first().map_or(0, Vec::len) as u16;
    let (left, top) = (inner.width.saturating_sub(wide) / 2, inner.height.saturating_sub(lines.len() as u16) / 2);
    let colour = |Colour(red, green, blue): Colour| Color::Rgb(red, green, blue);
    for (line, y) in lines.iter().zip(inner.y + top..inner.bottom()) {
        for ([upper, lower], x) in line.iter().zip(inner.x + left..inner.right()) {
            if let Some(cell) = frame.buffer_mut().cell_mut((x, y)) {
                cell.set_symbol("▀").set_fg(colour(*upper)).set_bg(colour(*lower));
            }
        }
    }
}
