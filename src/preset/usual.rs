//! What a user's own rows add to the catalog: their stacks and clusters, and which stack is usual
//! on a GPU.

use std::cmp::Reverse;

use super::Catalog;
use crate::hardware::{Cluster, Gpu};
use crate::stack::Stack;

impl Catalog {
    /// The catalog with what measured rows know, told as each row's cluster and stack: those that
    /// it doesn't have can be named, and on the GPUs of the rows the stack of most of them (among equals
    /// one without fp8, which has to be installed and may change what is learnt; else the first) becomes
    /// that of a job that names none, where it is told that it may.
    #[must_use]
    pub fn with_measured<'a>(
        mut self,
        rows: impl IntoIterator<Item = (&'a Cluster, &'a Stack, bool)>,
    ) -> Self {
        let mut counts: Vec<(&Gpu, &Stack, usize)> = Vec::new();
        for (cluster, stack, may_be_usual) in rows {
            if self.stacks.get(&stack.name).is_none() {
                self.stacks.put(stack.clone(), &[]);
            }
            if !cluster.stands_for_gpu() && self.clusters.get(&cluster.name).is_none() {
                self.clusters.put(cluster.clone(), &[]);
            }
            if !may_be_usual {
                continue;
            }
            let gpu = &cluster.gpu;
            let same =
                |(g, s, _): &&mut (&Gpu, &Stack, usize)| g.name == gpu.name && s.name == stack.name;
            match counts.iter_mut().find(same) {
                Some((.., count)) => *count += 1,
                None => counts.push((gpu, stack, 1)),
            }
        }
        // Sorting keeps the order of equals.
        counts.sort_by_key(|(_, stack, count)| (Reverse(*count), stack.multiplies_in_fp8()));
        for (gpu, stack, _) in counts {
            if !self.usual.iter().any(|(known, _)| known.name == gpu.name) {
                self.usual.push((gpu.clone(), stack.name.clone()));
            }
        }
        self
    }

    /// The stack that a user's own rows were measured on, on each of the GPUs of `clusters`, with the
    /// GPU they are of: on that GPU, or else on another of its architecture. Each stack once; none where
    /// the rows know none of the GPUs, or nobody measured.
    #[must_use]
    pub fn usual_stacks(&self, clusters: &[Cluster]) -> Vec<(&Gpu, &str)> {
        let mut stacks: Vec<(&Gpu, &str)> = Vec::new();
        for cluster in clusters {
            let known = |like: &dyn Fn(&Gpu, &Gpu) -> bool| {
                let mut usual = self.usual.iter();
                usual.find(|(gpu, _)| like(gpu, &cluster.gpu))
            };
            let known = known(&|a, b| a.name == b.name).or_else(|| known(&Gpu::same_architecture));
            if let Some((gpu, stack)) = known
                && !stacks.iter().any(|(_, other)| other == stack)
            {
                stacks.push((gpu, stack));
            }
        }
        stacks
    }
}
