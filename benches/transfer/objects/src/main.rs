//! A file put into async-nats's object store, got from there, written and synced: `filegen-bench-objects SOURCE TARGET URL`.

use async_nats::jetstream::{self, object_store};
use std::error::Error;
use std::path::Path;
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error + Send + Sync>> {
    let [source, target, url] = std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "SOURCE TARGET URL")?;
    let context = jetstream::new(async_nats::connect(url).await?);
    let config = object_store::Config { bucket: "bench".to_owned(), ..Default::default() };
    let store = context.create_object_store(config).await?;
    store.put("file", &mut File::open(&source).await?).await?;

    let part = format!("{target}.part");
    let mut object = store.get("file").await?;
    let mut file = File::create_new(&part).await?;
    let mut piece = vec![0; 1 << 20];
    loop {
        let count = object.read(&mut piece).await?;
        if count == 0 {
            break;
        }
        file.write_all(&piece[..count]).await?;
    }
    file.flush().await?;
    file.sync_all().await?;
    std::fs::rename(&part, &target)?;
    std::fs::File::open(Path::new(&target).parent().ok_or("no folder")?)?.sync_all()?;
    Ok(())
}
