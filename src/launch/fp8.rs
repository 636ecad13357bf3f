//! Matrices multiplied in fp8, which a stack's name tells: what each trainer needs for it.

use super::Launch;

impl Launch<'_> {
    /// Whether the plan's speed is that of matrices multiplied in fp8.
    pub(super) fn is_fp8(&self) -> bool {
        self.stack.multiplies_in_fp8()
    }

    /// What has to be there where the files switch fp8 on.
    pub(super) fn transformer_engine(&self) -> Option<String> {
        self.is_fp8().then(|| {
            format!(
                "fp8 is Transformer Engine's here, which has to be installed on the nodes; the plan's speed \
                 is that of the rows of {}, whatever recipe they ran",
                self.stack.name
            )
        })
    }

    /// What a script has to do where files can't switch fp8 on.
    pub(super) fn fp8_by_script(&self) -> Option<String> {
        self.is_fp8().then(|| {
            format!(
                "nothing here switches fp8 on: the script multiplies matrices in it, or the run is slower \
                 and dearer than planned, which is for {}",
                self.stack.name
            )
        })
    }
}
