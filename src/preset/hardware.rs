//! Tables of GPUs, clusters, stacks and prices become the types the planner computes with.

use super::tables::{ClusterTable, GpuTable, PriceTable, StackTable};
use super::value::At;
use crate::diagnostic::{Diagnostic, Origin};
use crate::hardware::{Cluster, Gpu, MAX_GPUS, Price};
use crate::stack::Stack;

/// GPUs in a node unless the table says otherwise.
pub(super) const GPUS_PER_NODE: u64 = 8;

/// Bytes/s of one Gbit/s.
const GBIT: f64 = 1e9 / 8.0;

impl GpuTable {
    pub(super) fn build(&self, name: &str) -> Gpu {
        Gpu {
            name: name.to_owned(),
            peak_flops: self.peak_tflops.0 * 1e12,
            hbm_bytes_per_s: self.hbm_tb_per_s.0 * 1e12,
            usable_gib: self.usable_gib.0,
            intra_node_bytes_per_s: self.intra_node_gb_per_s.0 * 1e9,
            fp8: self.fp8,
            measured: self.measured,
            source: self.source.clone(),
        }
    }
}

impl StackTable {
    pub(super) fn build(&self, name: &str) -> Stack {
        Stack {
            name: name.to_owned(),
            precision: self.precision,
            overlap: self.overlap.map(|share| share.0),
            measured: self.measured,
            description: self.description.clone(),
            source: self.source.clone(),
        }
    }
}

impl ClusterTable {
    /// The cluster of those nodes, without the prices that other tables state.
    ///
    /// # Errors
    /// A size out of range, or several nodes that nothing links.
    pub(super) fn build(
        &self,
        name: &str,
        gpu: Gpu,
        origin: &Origin,
    ) -> Result<Cluster, Diagnostic> {
        let gpus_per_node = match &self.gpus_per_node {
            Some(at) => within("gpus_per_node", at.value.0, at, origin)?,
            None => GPUS_PER_NODE,
        };
        let max_gpus = within("max_gpus", self.max_gpus.value.0, &self.max_gpus, origin)?;
        if max_gpus > gpus_per_node && self.inter_node_gbps.is_none() {
            // Jobs run on whole nodes: of one in part there is nothing to link.
            let nodes = match max_gpus / gpus_per_node {
                1 => "more than one node".to_owned(),
                whole => format!("{whole} nodes"),
            };
            return Err(Diagnostic::new(format!(
                "`{name}` has {nodes}, but no `inter_node_gbps` says what links them"
            ))
            .in_text(origin.clone())
            .at(
                self.max_gpus.span.clone(),
                format!("more than one node of {gpus_per_node}"),
            )
            .help("add `inter_node_gbps`, the Gbit/s out of one node: 8 x 200 Gbit/s is 1600")
            .help(format!(
                "or keep to one node with `max_gpus = {gpus_per_node}`"
            )));
        }
        Ok(Cluster {
            name: name.to_owned(),
            gpu,
            gpus_per_node,
            max_gpus,
            inter_node_bytes_per_s: self.inter_node_gbps.map(|gbps| gbps.0 * GBIT),
            prices: self.stated_price(name).into_iter().collect(),
            source: self.source.clone(),
        })
    }

    fn stated_price(&self, name: &str) -> Option<Price> {
        let usd = self.usd_per_gpu_hour.as_ref()?.0.get();
        Some(Price::stated(name, usd, &self.source))
    }
}

fn within<T>(field: &str, value: u64, at: &At<T>, origin: &Origin) -> Result<u64, Diagnostic> {
    if value <= MAX_GPUS {
        return Ok(value);
    }
    Err(Diagnostic::new(format!(
        "`{field}` is {value}, but must be from 1 to {MAX_GPUS}"
    ))
    .in_text(origin.clone())
    .at(at.span.clone(), "out of range"))
}

impl PriceTable {
    pub(super) fn build(&self) -> Price {
        let or = |text: &Option<String>, default: &str| {
            text.clone().unwrap_or_else(|| default.to_owned())
        };
        Price {
            provider: or(&self.provider, &self.instance.value),
            instance: self.instance.value.clone(),
            price_type: or(&self.price_type, Price::STATED),
            usd_per_gpu_hour: self.usd_per_gpu_hour.0.get(),
            region: or(&self.region, "-"),
            as_of: self
                .as_of
                .as_ref()
                .map_or_else(|| "unknown".to_owned(), |date| date.0.0.clone()),
            source: self.source.clone(),
        }
    }
}
