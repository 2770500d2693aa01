//! A dashboard on a window of any size: what does not fit as a picture is a number where there is room for one, and the last
//! line says what a larger window would show.

use std::time::Duration;

use indicatif::{FormattedDuration, HumanCount};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::agent::Scene;
use super::board::Board;
use super::panel::{self, FAINT};
use crate::screen;

/// The least that a panel is worth: columns and rows.
const LEAST: (u16, u16) = (24, 5);
/// The least of the terminal that has more than one line of numbers.
const WINDOW: (u16, u16) = (24, 5);

/// Draws all of it, so long after it began; `ends` where Ctrl-C or a key has asked for the end.
pub(super) fn draw(frame: &mut Frame<'_>, board: &Board, scene: &Scene, elapsed: Duration, ends: bool) {
    let area = frame.area();
    if area.width < WINDOW.0 || area.height < WINDOW.1 {
        let (width, height) = WINDOW;
        let pieces = [
            format!("{:.0}%", (100.0 * board.done()).floor()),
            if ends { "ending".into() } else { "q ends".into() },
            format!("{width}x{height} shows more"),
        ];
        let lines: Vec<Line<'_>> = flow(&pieces, area.width.into()).into_iter().map(Line::from).collect();
        return frame.render_widget(Paragraph::new(lines), area);
    }
    // Title, progress and the last line; then panels, as far as the numbers of those that are left out leave room for others.
    let mut numbers = speeds(board);
    let mut hidden: Vec<&str> = Vec::new();
    let wide = usize::from(area.width);
    let body = area.height.saturating_sub(3 + flow(&numbers, wide).len() as u16);
    let drawn: Vec<usize> = (0..board.small.len()).filter(|&i| !board.small[i].1.points().is_empty()).collect();
    let fit = usize::from(area.width / LEAST.0).min(drawn.len());
    let strip = if body >= 2 * LEAST.1 + 3 && fit > 0 { (body / 3).clamp(LEAST.1, 14) } else { 0 };
    let shown = &drawn[..if strip > 0 { fit } else { 0 }];
    for &i in &drawn[shown.len()..] {
        let (name, curve) = &board.small[i];
        numbers.extend(curve.last().map(|last| format!("{name} {}", screen::amounts([last])[0])));
    }
    let lines = flow(&numbers, wide);
    // Numbers of what is left out are worth as many lines as leave a curve.
    let most = area.height.saturating_sub(3 + strip + LEAST.1).max(1);
    let facts = (lines.len() as u16).min(most);
    if usize::from(facts) < lines.len() {
        hidden.push("losses");
    }
    let rows = [1, 1, facts, strip, 1].map(Constraint::Length);
    let [title, progress, facts, curves, strip, last] =
        Layout::vertical([rows[0], rows[1], rows[2], Constraint::Fill(1), rows[3], rows[4]]).areas::<6>(area);
    let heading = Line::from(vec![
        Span::styled(board.title.clone(), Style::new().bold()),
        Span::raw("  "),
        Span::styled(board.folder.clone(), FAINT),
    ]);
    frame.render_widget(Paragraph::new(heading), title);
    bar(frame, progress, board, elapsed);
    frame.render_widget(Paragraph::new(lines.into_iter().map(Line::from).collect::<Vec<_>>()), facts);
    for (&i, area) in shown.iter().zip(&*Layout::horizontal(vec![Constraint::Fill(1); shown.len()]).split(strip)) {
        panel::small(frame, *area, board.small[i].0, &board.small[i].1);
    }
    hidden.extend(pictures(frame, curves, board, scene));
    footer(frame, last, board, &hidden, ends);
}

/// The curve of the returns, and the agent beside it or below; what there was no room for.
fn pictures(frame: &mut Frame<'_>, area: Rect, board: &Board, scene: &Scene) -> Vec<&'static str> {
    if area.height < LEAST.1 || area.width < LEAST.0 {
        return vec!["the curve", "the agent"];
    }
    if area.width < 2 * LEAST.0 + 8 {
        panel::returns(frame, area, board);
        return vec!["the agent"];
    }
    let columns = panel::columns(scene, area.height).clamp(LEAST.0, area.width / 2);
    let [curve, agent] = Layout::horizontal([Constraint::Fill(1), Constraint::Length(columns)]).areas(area);
    panel::returns(frame, curve, board);
    panel::agent(frame, agent, scene);
    Vec::new()
}

/// Steps a second.
fn speeds(board: &Board) -> Vec<String> {
    let shown = |rate: Option<f64>| rate.map_or("-".into(), |rate| HumanCount(rate as u64).to_string());
    let [(unit, all), parts @ ..] = board.speeds();
    let parts = parts.map(|(part, rate)| format!("{part} {}", shown(rate)));
    std::iter::once(format!("{} {unit}", shown(all))).chain(parts).collect()
}

/// How much is done and what time is left.
fn bar(frame: &mut Frame<'_>, area: Rect, board: &Board, elapsed: Duration) {
    let (done, all) = (HumanCount(board.env_steps), HumanCount(board.steps));
    let left = board.left().map_or("-".to_string(), |left| FormattedDuration(left).to_string());
    let (share, since) = ((100.0 * board.done()).floor(), FormattedDuration(elapsed));
    let width = usize::from(area.width);
    let texts = [
        format!("  {share:>3.0}%  {done} of {all} steps  {since} gone, {left} left"),
        format!("  {share:>3.0}%  {done} steps, {left} left"),
        format!("  {share:>3.0}%  {left} left"),
    ];
    let text = texts.iter().find(|text| text.chars().count() + 8 <= width).unwrap_or(&texts[2]);
    let length = width.saturating_sub(text.chars().count());
    let full = ((length as f64 * board.done()) as usize).min(length);
    let line = Line::from(vec![
        Span::styled("━".repeat(full), Style::new().fg(Color::Cyan)),
        Span::styled("─".repeat(length - full), FAINT),
        Span::raw(text.clone()),
    ]);
    frame.render_widget(Paragraph::new(line), area);
}

/// What keys do, what is to be known, and what a larger window would show.
fn footer(frame: &mut Frame<'_>, area: Rect, board: &Board, hidden: &[&str], ends: bool) {
    let keys = match ends {
        true => "finishing what is under way; Ctrl-C leaves at once",
        false => "q ends and saves",
    };
    let mut spans = vec![Span::styled(keys, if ends { Style::new().bold() } else { FAINT })];
    if let Some(warning) = board.warnings().next_back() {
        spans.push(Span::styled(format!("  {warning}"), Style::new().fg(Color::Yellow)));
    } else if !hidden.is_empty() {
        spans.push(Span::styled(format!("  too small for: {}", hidden.join(", ")), FAINT));
    }
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// Pieces, as many to a line as fit.
fn flow(pieces: &[String], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for piece in pieces {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 2 + piece.chars().count() <= width => {
                line.push_str("  ");
                line.push_str(piece);
            }
            _ => lines.push(piece.clone()),
        }
    }
    lines
}
