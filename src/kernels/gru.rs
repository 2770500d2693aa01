//! A gated recurrent unit along lanes: forward, and backward through time, with the equations of
//! [`models::GRU`](crate::models::GRU).

use super::elementary::{sigmoid_in_place, tanh_in_place};
use super::mlp::{Mlp, Transposed};
use super::vector::{add, vectorised};

/// A cell's matrix from what it remembers to its gates; what comes from observations is given.
#[derive(Debug)]
pub(crate) struct Gru {
    /// One layer, `[units]` to `[3·units]`: reset, update, new.
    pub(crate) recurrent: Mlp,
}

/// What a pass along `T` steps of `L` lanes leaves behind, and room for the next.
#[derive(Debug, Default)]
pub(crate) struct GruPasses {
    /// `[T, L, units]`: what each step found, zeros where it begins an episode.
    found: Vec<f32>,
    /// `[T, L, 3·units]`: the gates' values.
    gates: Vec<f32>,
    /// `[T, L, units]`: `W_hn·h + b_hn`.
    from_memory: Vec<f32>,
    /// `[T, L, units]`: what the cell puts out.
    pub(crate) output: Vec<f32>,
    /// `[T, L, 3·units]`: derivatives by what came from observations.
    pub(crate) by_input: Vec<f32>,
    by_recurrent: Vec<f32>,
    /// `[L, 3·units]`.
    room: Vec<f32>,
    /// `[L, units]`: by what a step leaves, and by what it found.
    by_memory: Vec<f32>,
    by_found: Vec<f32>,
    scratch: Vec<f32>,
}

impl Gru {
    fn units(&self) -> usize {
        self.recurrent.inputs()
    }

    /// Goes along all steps. `from_input` is `W_ih·x + b_ih`, `[T, L, 3·units]`, `begins` `[T, L]`, `memory` `[L, units]`;
    /// `transposed` is of the recurrent layer.
    pub(crate) fn forward(
        &self,
        (theta, transposed): (&[f32], &Transposed),
        from_input: &[f32],
        (begins, memory): (&[bool], &[f32]),
        passes: &mut GruPasses,
    ) {
        let (layer, h) = (&self.recurrent.layers[0], self.units());
        let lanes = memory.len() / h;
        let (each, steps) = (lanes * h, begins.len() / lanes.max(1));
        let GruPasses { found, gates, from_memory, output, room, .. } = passes;
        gates.clear();
        gates.extend_from_slice(from_input);
        for column in [&mut *found, from_memory, output] {
            column.resize(steps * each, 0.0);
        }
        for t in 0..steps {
            let (before, after) = output.split_at_mut(t * each);
            let found = &mut found[t * each..(t + 1) * each];
            found.copy_from_slice(if t == 0 { memory } else { &before[(t - 1) * each..] });
            for (found, _) in found.chunks_exact_mut(h).zip(&begins[t * lanes..]).filter(|(_, begins)| **begins) {
                found.fill(0.0);
            }
            room.resize(lanes * layer.outputs, 0.0);
            layer.forward(theta, transposed.weight(0), found, lanes, room);
            let rows = gates[3 * t * each..3 * (t + 1) * each].chunks_exact_mut(3 * h).zip(room.chunks_exact(3 * h));
            let rows = rows.zip(found.chunks_exact(h)).zip(from_memory[t * each..].chunks_exact_mut(h));
            for ((((gates, from), found), from_memory), output) in rows.zip(after.chunks_exact_mut(h)) {
                let (reset_update, new) = gates.split_at_mut(2 * h);
                let (from, from_new) = from.split_at(2 * h);
                from_memory.copy_from_slice(from_new);
                add(reset_update, from);
                sigmoid_in_place(reset_update);
                let (reset, update) = reset_update.split_at(h);
                vectorised(
                    #[inline(always)]
                    || new.iter_mut().zip(reset).zip(from_new).for_each(|((n, r), x)| *n += r * x),
                );
                tanh_in_place(new);
                vectorised(
                    #[inline(always)]
                    || {
                        let gates = new.iter().zip(update).zip(found);
                        output.iter_mut().zip(gates).for_each(|(out, ((n, z), h))| *out = n + z * (h - n));
                    },
                );
            }
        }
    }

    /// Given `∂L/∂` what the cell put out, `[T, L, units]`, adds `∂L/∂θ` to the recurrent layer's places of `gradient`, `[P]`, and
    /// leaves `∂L/∂` what came from observations.
    pub(crate) fn backward(
        &self,
        theta: &[f32],
        (begins, lanes): (&[bool], usize),
        by_output: &[f32],
        passes: &mut GruPasses,
        gradient: &mut [f32],
    ) {
        let (layer, h) = (&self.recurrent.layers[0], self.units());
        let GruPasses { found, gates, from_memory, by_input, by_recurrent, by_memory, by_found, scratch, .. } = passes;
        let each = by_output.len() / (begins.len() / lanes);
        for by in [&mut *by_input, by_recurrent] {
            by.resize(3 * by_output.len(), 0.0);
        }
        by_memory.clear();
        by_memory.resize(each, 0.0);
        for t in (0..begins.len() / lanes).rev() {
            let (own, wide) = (t * each..(t + 1) * each, 3 * t * each..3 * (t + 1) * each);
            add(by_memory, &by_output[own.clone()]);
            for row in 0..lanes {
                let (at, wide) = (own.start + row * h..own.start + (row + 1) * h, wide.start + 3 * row * h);
                let [reset, update, new] = [0, 1, 2].map(|gate| &gates[wide + gate * h..wide + (gate + 1) * h]);
                let (found, from) = (&found[at.clone()], &from_memory[at]);
                let by = &mut by_memory[row * h..(row + 1) * h];
                let (by_reset, rest) = by_input[wide..wide + 3 * h].split_at_mut(h);
                let (by_update, by_new) = rest.split_at_mut(h);
                let by_recurrent = &mut by_recurrent[wide..wide + 3 * h];
                vectorised(
                    #[inline(always)]
                    || {
                        for i in 0..h {
                            let (r, z, n) = (reset[i], update[i], new[i]);
                            by_new[i] = by[i] * (1.0 - z) * (1.0 - n * n);
                            by_update[i] = by[i] * (found[i] - n) * z * (1.0 - z);
                            by_reset[i] = by_new[i] * from[i] * r * (1.0 - r);
                            by_recurrent[i] = by_reset[i];
                            by_recurrent[h + i] = by_update[i];
                            by_recurrent[2 * h + i] = by_new[i] * r;
                            by[i] *= z;
                        }
                    },
                );
            }
            layer.input_gradient(theta, &by_recurrent[wide], by_found);
            add(by_memory, by_found);
            for (by, _) in by_memory.chunks_exact_mut(h).zip(&begins[own.start / h..]).filter(|(_, begins)| **begins) {
                by.fill(0.0);
            }
        }
        layer.add_gradient(found, by_recurrent, gradient, scratch);
    }
}
