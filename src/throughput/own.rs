//! Where a user's own rows say nothing: a fit that is named and not used must not go unnoticed.

use super::Fit;
use super::context::Place;
use super::hypothesis::Hypothesis;
use super::links::Links;
use crate::configuration::Setting;
use crate::hardware::Cluster;
use crate::measure::Measurement;
use crate::quantity::display_whole;

impl Fit {
    /// Why a user's own rows have no say at a setting, or less than they could, in words; `None` where
    /// they have one, or where the fit has none beside the tables it was made on top of. Rows fitted alone
    /// have a say everywhere, but not all of them on a card or on links described otherwise.
    #[must_use]
    pub fn silence(&self, setting: &Setting<'_>) -> Option<String> {
        self.silence_told(setting, "`--stack`")
    }

    /// The same to somebody who names the stack by what `stack_option` says.
    #[must_use]
    pub(crate) fn silence_told(&self, setting: &Setting<'_>, stack_option: &str) -> Option<String> {
        let place = Place::of(setting);
        let joined = || {
            self.base
                .rows
                .iter()
                .skip(self.embedded)
                .map(|(row, _)| row)
        };
        let of_contexts = self.contexts.iter().flat_map(|context| &context.layer.rows);
        let own: Vec<&Measurement> = of_contexts.map(|(row, _)| row).chain(joined()).collect();
        let joined_here = joined().any(|row| Place::of(&row.setting()).is_same_as(&place));
        if own.is_empty() {
            return None;
        }
        if let Some(other) = self.of_another_card(&own, setting) {
            return Some(other);
        }
        if joined_here || self.context(setting).is_some() {
            let otherwise = self.linked_otherwise(&own, setting);
            return otherwise.or_else(|| self.described_since(&own, setting));
        }
        // Fitted alone, a user's rows are all that anything rests on.
        if self.embedded == 0 {
            return None;
        }
        let at_place = |row: &&&Measurement| Place::of(&row.setting()).is_same_as(&place);
        let network = self.contexts.iter().any(|context| {
            let mut rows = context.layer.rows.iter().map(|(row, _)| row);
            context.hypothesis == Hypothesis::Network && rows.any(|row| at_place(&&row))
        });
        if network {
            let clusters = listed(own.iter().filter(at_place).map(|row| &*row.cluster.name));
            return Some(format!(
                "fit `{}` has no say on {}: its rows show another network on {clusters}, and that of \
                 other clusters is taken from the embedded tables",
                self.name, setting.cluster.name
            ));
        }
        let gpu = &setting.cluster.gpu.name;
        let of_gpu = listed(
            own.iter()
                .filter(|row| row.cluster.gpu.same_architecture(&setting.cluster.gpu))
                .map(|row| row.stack.name.as_str()),
        );
        if of_gpu.is_empty() {
            let gpus = listed(own.iter().map(|row| row.cluster.gpu.name.as_str()));
            return Some(format!(
                "fit `{}` has no say on {gpu}: its rows are of {gpus}",
                self.name
            ));
        }
        Some(format!(
            "fit `{}` has no say on {gpu} under stack {}: its rows there are of {of_gpu}, which \
             {stack_option} or a table's column `stack` would name",
            self.name, setting.stack.name
        ))
    }
}

impl Fit {
    /// The links between the nodes of a cluster, as a share of what is stated of it now, where rows that
    /// joined the tables they were fitted on top of, or were fitted alone, ran over them as stated
    /// otherwise; with its name there.
    pub(super) fn joined_links(&self, cluster: &Cluster) -> Option<(&str, Links)> {
        let joined = self.base.rows.iter().skip(self.embedded);
        let mut joined = joined.map(|(row, _)| row);
        let measured = joined.find(|row| row.spans_nodes() && row.cluster.name == cluster.name)?;
        let links = Links::STATED.restated((&measured.cluster, true), cluster)?;
        (links != Links::STATED).then_some((measured.cluster.name.as_str(), links))
    }

    /// That rows of a setting's GPU are of one that was described otherwise.
    fn of_another_card(&self, own: &[&Measurement], setting: &Setting<'_>) -> Option<String> {
        let here = &setting.cluster.gpu;
        let gpus = own.iter().map(|row| &row.cluster.gpu);
        let mut named = gpus.filter(|gpu| gpu.name == here.name);
        let other = named.next()?;
        if other.is_same_as(here) || named.any(|gpu| gpu.is_same_as(here)) {
            return None;
        }
        Some(format!(
            "the rows of fit `{}` are of another {} than the one here, of {:.0} TFLOP/s, {:.2} TB/s of memory and \
             {:.0} GB/s between GPUs: they count for it in full only where it is described as theirs was, by `--presets`",
            self.name,
            here.name,
            other.peak_flops / 1e12,
            other.hbm_bytes_per_s / 1e12,
            other.intra_node_bytes_per_s / 1e9
        ))
    }

    /// That the links of a cluster are described otherwise than its rows show them to be.
    fn described_since(&self, own: &[&Measurement], setting: &Setting<'_>) -> Option<String> {
        let cluster = setting.cluster;
        let here = |row: &&&Measurement| row.spans_nodes() && row.cluster.name == cluster.name;
        let before = own.iter().find(here)?.cluster.inter_node_bytes_per_s?;
        let now = cluster.inter_node_bytes_per_s?;
        let links = self.view(setting).links();
        if before.to_bits() == now.to_bits() || !links.are_others() {
            return None;
        }
        let gbit = |bytes_per_s: f64| display_whole(bytes_per_s * 8.0 / 1e9);
        Some(format!(
            "the links between the nodes of {} are described as {} Gbit/s, but the rows of fit `{}` ran over \
             them as {}, which counts: `tminus fit` with that description explains them by it, and nodes linked \
             otherwise are another cluster, of a name of its own",
            cluster.name,
            gbit(now),
            self.name,
            gbit(now * links.share())
        ))
    }

    /// That rows over several nodes name no cluster, and were taken for nodes linked otherwise than
    /// those of a setting: measured on it, they would count as such.
    fn linked_otherwise(&self, own: &[&Measurement], setting: &Setting<'_>) -> Option<String> {
        let place = Place::of(setting);
        let (cluster, here) = (setting.cluster, &setting.cluster.name);
        let over_nodes: Vec<&&Measurement> = own
            .iter()
            .filter(|row| row.spans_nodes())
            .filter(|row| Place::of(&row.setting()).is_same_as(&place))
            .collect();
        let linked_alike = |row: &&&Measurement| row.cluster.is_linked_as(cluster);
        let shown = self.context(setting);
        let shown = shown.and_then(|context| context.shows_links_of(cluster));
        if shown.is_some() || over_nodes.iter().any(linked_alike) {
            return None;
        }
        let unnamed = over_nodes
            .iter()
            .find(|row| row.cluster.stands_for_gpu() && row.cluster.gpu.name == cluster.gpu.name)?;
        Some(format!(
            "the rows of fit `{}` on several nodes of {} name no cluster and are taken to be of other nodes \
             ({}), not of {here}: a column `cluster` of their table that says {here} makes them count there",
            self.name, cluster.gpu.name, unnamed.cluster.source
        ))
    }
}

/// Names, each once, in the order met.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut once: Vec<&str> = Vec::new();
    for name in names {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    once.join(", ")
}
