//! What the status page shows of a flow besides workers: each part of the process that is served tells of itself.

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
