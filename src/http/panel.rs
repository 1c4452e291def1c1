//! A part of the status page besides the workers: an ingest, a scheduler or a transfer says how it stands.

use async_trait::async_trait;

/// A part of this process on the status page.
#[async_trait]
pub trait Panel: Send + Sync {
    /// Its name; the page's trouble names it.
    fn name(&self) -> &str;

    /// How it is now.
    async fn look(&self) -> PanelView;
}

/// How a part is.
#[derive(Clone, Debug)]
pub struct PanelView {
    /// What is wrong with it, most urgent first. Empty when all is well.
    pub troubles: Vec<String>,
    /// What JSON and the page's template show.
    pub body: serde_json::Value,
}
