//! A model's table becomes a [`Model`].

use std::ops::Range;

use super::tables::{Architecture, ModelTable};
use super::value::{At, Whole};
use crate::diagnostic::{Diagnostic, Origin};
use crate::model::{
    Biases, Block, FeedForward, Gate, MAX_SEQ_LEN, Model, Norm, Positions, Shape, ShapeError,
    reference_global_batch,
};
use crate::quantity::Tokens;

/// Length of training sequences where neither the model nor its position table says.
const DEFAULT_SEQ_LEN: u64 = 2048;

impl ModelTable {
    /// The model, named `name` unless the table names it.
    ///
    /// # Errors
    /// A shape that is no transformer, with carets at the keys at fault.
    pub(crate) fn build(&self, name: &At<String>, origin: &Origin) -> Result<Model, Diagnostic> {
        let name = self.name.as_ref().unwrap_or(name);
        if name.value.trim().is_empty() {
            return Err(Diagnostic::new("the name of a model is empty")
                .in_text(origin.clone())
                .at(name.span.clone(), "give it a name"));
        }
        super::refuse_controls(name, origin)?;
        let shape = self
            .shape(name, origin)?
            .validate()
            .map_err(|error| self.refusal(&error, name, origin))?;
        let block = self.block(&shape, origin)?;
        let seq_len = self.training_length(&shape, origin)?;
        let global_batch = match &self.global_batch {
            Some(tokens) => tokens.value.0,
            None => Tokens::new(reference_global_batch(shape.params(seq_len)))
                .map_err(|error| Diagnostic::new(error.to_string()).in_text(origin.clone()))?,
        };
        Ok(Model {
            name: name.value.clone(),
            shape,
            block,
            seq_len,
            global_batch,
            source: self.source.clone(),
        })
    }

    fn shape(&self, name: &At<String>, origin: &Origin) -> Result<Shape, Diagnostic> {
        let (positions, biases, norm, feed_forward, tied_head) = match self.architecture {
            Architecture::Gpt => (
                Positions::Learned,
                Biases::All,
                Norm::LayerNorm,
                FeedForward::Gelu,
                true,
            ),
            Architecture::Mpt => (
                Positions::Alibi,
                Biases::None,
                Norm::LayerNorm,
                FeedForward::Gelu,
                true,
            ),
            Architecture::Llama => (
                Positions::Rotary,
                Biases::None,
                Norm::RmsNorm,
                FeedForward::Gated,
                false,
            ),
        };
        let feed_forward = self.feed_forward.unwrap_or(feed_forward);
        let (d_model, n_heads) = (self.d_model.value.0, self.n_heads.value.0);
        Ok(Shape {
            d_model,
            n_layers: self.n_layers.value.0,
            n_heads,
            n_kv_heads: self.n_kv_heads.as_ref().map_or(n_heads, |k| k.value.0),
            head_dim: self.head_dim(name, origin)?,
            d_ff: self.d_ff(feed_forward, origin)?,
            vocab_size: self.vocab_size.value.0,
            positions: self.positions.unwrap_or(positions),
            max_positions: self.max_positions.as_ref().map(|m| m.value.0),
            tied_head: self.tied_head.unwrap_or(tied_head),
            biases: self.biases.unwrap_or(biases),
            norm: self.norm.unwrap_or(norm),
            feed_forward,
        })
    }

    /// What trainers have to be told of the blocks.
    fn block(&self, shape: &Shape, origin: &Origin) -> Result<Block, Diagnostic> {
        let refuse = |what: &str, span: &Range<usize>, help: &str| {
            Err(Diagnostic::new(what)
                .in_text(origin.clone())
                .at(span.clone(), "has no meaning here")
                .help(help))
        };
        let gated = shape.feed_forward == FeedForward::Gated;
        let rotary = shape.positions == Positions::Rotary;
        if let Some(gate) = self.gate.as_ref().filter(|_| !gated) {
            return refuse(
                "`gate` is given, but the feed-forward is not gated",
                &gate.span,
                "leave it out, or set `feed_forward = \"gated\"`",
            );
        }
        let base = self.rotary_base.as_ref().map(|base| &base.span);
        let share = self.rotary_share.as_ref().map(|share| &share.span);
        if let Some(span) = base.or(share).filter(|_| !rotary) {
            return refuse(
                "the positions are not rotary, but have settings of rotary ones",
                span,
                "leave it out, or set `positions = \"rotary\"`",
            );
        }
        let llama = self.architecture == Architecture::Llama;
        let usual = (gated && llama).then_some(Gate::Silu);
        Ok(Block {
            gate: self.gate.as_ref().map(|gate| gate.value).or(usual),
            rotary_base: self.rotary_base.as_ref().map(|base| base.value.0),
            rotary_share: self.rotary_share.as_ref().map(|share| share.value.0),
            parallel: self.parallel_block,
        })
    }

    fn head_dim(&self, name: &At<String>, origin: &Origin) -> Result<u64, Diagnostic> {
        if let Some(head_dim) = &self.head_dim {
            return Ok(head_dim.value.0);
        }
        let (value, divisor) = (self.d_model.value.0, self.n_heads.value.0);
        if value.is_multiple_of(divisor) {
            return Ok(value / divisor);
        }
        let error = ShapeError::Indivisible {
            field: "d_model",
            value,
            divisor_field: "n_heads",
            divisor,
        };
        Err(self
            .refusal(&error, name, origin)
            .help("or state `head_dim` when the heads together are not as wide as the model"))
    }

    fn d_ff(&self, feed_forward: FeedForward, origin: &Origin) -> Result<u64, Diagnostic> {
        let d_model = self.d_model.value.0;
        match (&self.d_ff, feed_forward) {
            (Some(d_ff), _) => Ok(d_ff.value.0),
            (None, FeedForward::Gelu) => Ok(d_model.saturating_mul(4)),
            (None, FeedForward::Gated) => {
                let usual = (d_model.saturating_mul(8) / 3).max(1).next_multiple_of(256);
                Err(
                    Diagnostic::new("`d_ff` is missing: a gated feed-forward has no usual width")
                        .in_text(origin.clone())
                        .at(self.d_model.span.clone(), "for this width")
                        .help(format!(
                            "add `d_ff = …`; Llama's rule, 8/3 of `d_model` rounded up to a \
                             multiple of 256, gives {usual}"
                        )),
                )
            }
        }
    }

    fn training_length(&self, shape: &Shape, origin: &Origin) -> Result<u64, Diagnostic> {
        let longest = match shape.positions {
            Positions::Learned => shape.max_positions,
            Positions::Rotary | Positions::Alibi => None,
        };
        let Some(seq_len) = &self.seq_len else {
            return Ok(longest.unwrap_or(DEFAULT_SEQ_LEN));
        };
        let value = seq_len.value.0;
        if value > MAX_SEQ_LEN {
            return Err(Diagnostic::new(format!(
                "`seq_len` is {value}, but must be from 1 to {MAX_SEQ_LEN}"
            ))
            .in_text(origin.clone())
            .at(seq_len.span.clone(), "too long"));
        }
        match (longest, &self.max_positions) {
            (Some(longest), Some(table)) if value > longest => Err(Diagnostic::new(format!(
                "`seq_len = {value}` is longer than the learned position table, \
                     `max_positions = {longest}`"
            ))
            .in_text(origin.clone())
            .at(seq_len.span.clone(), "longer than the table")
            .at(table.span.clone(), "the table")),
            _ => Ok(value),
        }
    }

    /// Where a key stands, if it was written at all.
    fn span(&self, field: &str) -> Option<Range<usize>> {
        let optional = |key: &Option<At<Whole>>| key.as_ref().map(|at| at.span.clone());
        match field {
            "d_model" => Some(self.d_model.span.clone()),
            "n_layers" => Some(self.n_layers.span.clone()),
            "n_heads" => Some(self.n_heads.span.clone()),
            "vocab_size" => Some(self.vocab_size.span.clone()),
            "n_kv_heads" => optional(&self.n_kv_heads),
            "head_dim" => optional(&self.head_dim),
            "d_ff" => optional(&self.d_ff),
            "max_positions" => optional(&self.max_positions),
            _ => None,
        }
    }

    fn refusal(&self, error: &ShapeError, name: &At<String>, origin: &Origin) -> Diagnostic {
        let named = || name.span.clone();
        let diagnostic = Diagnostic::new(error.to_string()).in_text(origin.clone());
        let diagnostic = match error {
            ShapeError::OutOfRange { field, .. } => {
                diagnostic.at(self.span(field).unwrap_or_else(named), "out of range")
            }
            ShapeError::Indivisible {
                field,
                divisor_field,
                ..
            } => {
                let at_fault = self.span(divisor_field).unwrap_or_else(named);
                let diagnostic = diagnostic.at(at_fault, "does not divide it");
                match self.span(field) {
                    Some(span) => diagnostic.at(span, "this"),
                    None => diagnostic,
                }
            }
            ShapeError::TooManyParams { .. } => diagnostic.at(named(), "this model"),
        };
        error.hint().into_iter().fold(diagnostic, Diagnostic::help)
    }
}
