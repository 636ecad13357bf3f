//! Links between nodes that carry something else than is stated of them: which the rows make likely.

use super::Group;
use crate::measure::Measurement;
use crate::throughput::hypothesis::Hypothesis;
use crate::throughput::layer::Layer;
use crate::throughput::links::{Links, LinksOf};

impl Group {
    /// Logarithm of the probability beforehand of links: where they are the same on all clusters that is
    /// one fact, else one of each cluster.
    pub(super) fn log_odds(&self, links: &LinksOf, stated_odds: f64) -> f64 {
        let of_each = self.linked_clusters();
        let mut of_each = of_each.iter().map(|cluster| links.of(cluster));
        let Some(first) = of_each.next() else {
            return Links::STATED.log_odds(stated_odds);
        };
        let others: Vec<Links> = of_each.collect();
        let own = if others.iter().all(|links| *links == first) {
            &[][..]
        } else {
            &others
        };
        let own = own.iter().map(|links| links.log_odds(stated_odds));
        first.log_odds(stated_odds) + own.sum::<f64>()
    }

    /// The clusters that rows were measured on several nodes of, each once, in the order met.
    fn linked_clusters(&self) -> Vec<&str> {
        let mut clusters: Vec<&str> = Vec::new();
        let linked = |row: &&Measurement| row.spans_nodes();
        for row in self.rows.iter().filter(linked) {
            if !clusters.contains(&row.cluster.name.as_str()) {
                clusters.push(&row.cluster.name);
            }
        }
        clusters
    }

    /// Whether rows name a cluster: of one that they don't, what is assumed is the most that is plausible.
    fn is_described(&self, cluster: &str) -> bool {
        let of_cluster = |row: &&Measurement| row.cluster.name == cluster;
        let row = self.rows.iter().find(of_cluster);
        row.is_some_and(|row| !row.cluster.stands_for_gpu())
    }

    /// The most plausible rates that links between nodes may carry beside what is stated: slower ones,
    /// with the logarithm of how many are as plausible, faster ones, and others on each cluster. None
    /// where the rows or the hypothesis have nothing to say about them.
    pub(super) fn other_links(&self, hypothesis: Hypothesis, base: &Layer) -> Vec<(LinksOf, f64)> {
        let speak = !matches!(hypothesis, Hypothesis::Same | Hypothesis::Scale);
        let scatters = self.scatters(hypothesis, base);
        let clusters = self.linked_clusters();
        let Some((evenest, _)) = scatters.first().filter(|_| speak && !clusters.is_empty()) else {
            return Vec::new();
        };
        let evidence = |links: &LinksOf| {
            let layer = self.fit_under((hypothesis, links), *evenest, base);
            Some(layer.ok()?.solution.log_evidence)
        };
        let all = |links| LinksOf::all(clusters.iter().copied(), links);
        let on_all = |links| evidence(&all(links));
        let mut found = Vec::new();
        found.extend(Links::slower(on_all).map(|(links, alike)| (all(links), alike)));
        // What is assumed of a cluster that isn't described is the most that its GPU comes with, and
        // what the base was measured over is known.
        let described = |cluster: &&str| self.is_described(cluster);
        if clusters.iter().all(described) && !self.is_over_links_of(base) {
            found.extend(Links::faster(on_all).map(|links| (all(links), 0.0)));
        }
        if clusters.len() > 1 {
            let each = self.links_of_each(&clusters, (hypothesis, base), evidence);
            found.extend(each.map(|links| (links, 0.0)));
        }
        found
    }

    /// The most plausible links of each cluster by itself, one after another; `None` where all are alike.
    fn links_of_each(
        &self,
        clusters: &[&str],
        (hypothesis, base): (Hypothesis, &Layer),
        evidence: impl Fn(&LinksOf) -> Option<f64>,
    ) -> Option<LinksOf> {
        let stated_odds = self.stated_odds(hypothesis, base);
        let plausibility =
            |links: &LinksOf| Some(evidence(links)? + self.log_odds(links, stated_odds));
        let measured = |cluster: &str| {
            let here = |row: &Measurement| row.cluster.name == cluster && row.spans_nodes();
            base.rows.iter().any(|(row, _)| here(row))
        };
        let mut known = LinksOf::STATED;
        let mut most = plausibility(&known)?;
        for cluster in clusters {
            let slower = Links::slower(|links| evidence(&known.with(cluster, links)));
            let faster = (self.is_described(cluster) && !measured(cluster))
                .then(|| Links::faster(|links| evidence(&known.with(cluster, links))))
                .flatten();
            for links in slower.map(|(links, _)| links).into_iter().chain(faster) {
                let other = known.with(cluster, links);
                if let Some(more) = plausibility(&other).filter(|more| *more > most) {
                    (known, most) = (other, more);
                }
            }
        }
        let first = known.of(clusters.first()?);
        let alike = clusters.iter().all(|cluster| known.of(cluster) == first);
        (!alike).then_some(known)
    }
}
