//! Files that follow a delivered one, in the same folder: whoever waits for them finds a whole file.

use super::deliver::{Deliverer, Fault, Way};
use super::envelope::Envelope;
use super::naming::parts;
use super::place::Place;
use super::spec::OnExists;
use crate::core::failpoints::crash::crash_point;
use crate::core::kind::FailureKind;
use crate::core::ports::file_target::{Arrived, Naming, PartName, TargetError, TargetPart, Whole};
use sha2::{Digest, Sha256};

/// A companion's path and content.
struct Following {
    path: String,
    content: Vec<u8>,
}

impl Following {
    fn is(&self, there: &Arrived) -> bool {
        there.is(self.size(), &self.sha256())
    }

    fn sha256(&self) -> String {
        hex::encode(Sha256::digest(&self.content))
    }

    fn size(&self) -> u64 {
        self.content.len() as u64
    }
}

impl Deliverer {
    /// The companions of a version that stands at a path.
    fn following(&self, way: &Way<'_>, path: &str) -> Result<Vec<Following>, Fault> {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        // A companion is named after what is delivered, not after what came.
        let envelope = Envelope {
            name: name.to_owned(),
            source_path: path.to_owned(),
            size: way.record.final_size(),
            sha256: way.record.final_sha256().to_owned(),
            ..way.envelope.clone()
        };
        let following = self.deliver.companions.iter().map(|companion| {
            let named = companion.name.render(&envelope).and_then(|named| match parts(&named)?.as_slice() {
                [one] if one == name => Err(format!("a companion has the name of its file, `{name}`")),
                [one] => Ok(Place { folder: folder.to_owned(), name: one.clone() }.path()),
                _ => Err(format!("a companion stands beside its file, and `{named}` does not")),
            });
            let content = companion.kind.content(name, way.record.final_sha256());
            named.map(|path| Following { path, content })
        });
        following.collect::<Result<_, String>>().map_err(|why| Fault::Lasting(FailureKind::Refused, why))
    }

    /// Whether the name of a companion has another content, so that the file cannot have this place.
    ///
    /// # Errors
    /// As `on_exists` says.
    pub(super) async fn is_companion_taken(&self, way: &Way<'_>, place: &Place) -> Result<bool, Fault> {
        if self.deliver.on_exists == OnExists::Replace {
            return Ok(false);
        }
        for wanted in self.following(way, &place.path())? {
            match self.ports.target.find(&wanted.path, wanted.size()).await? {
                Some(there) if !wanted.is(&there) => {
                    return match self.deliver.on_exists {
                        OnExists::Error => Err(taken(&wanted.path)),
                        OnExists::Suffix | OnExists::Replace => Ok(true),
                    };
                }
                Some(_) | None => {}
            }
        }
        Ok(false)
    }

    /// Takes away what stands under the names of the companions, before another file takes their file's place: an old companion would
    /// call the new file whole, or spoilt.
    pub(super) async fn withdraw_companions(&self, way: &Way<'_>, path: &str) -> Result<(), Fault> {
        for former in self.following(way, path)? {
            self.ports.target.remove(&former.path).await?;
            crash_point!("transfer.withdrawn");
        }
        Ok(())
    }

    /// Writes the companions of a version that has its final name.
    pub(super) async fn put_companions(&self, way: &Way<'_>) -> Result<(), Fault> {
        let Some(path) = &way.record.place else { return Ok(()) };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for (number, wanted) in self.following(way, path)?.into_iter().enumerate() {
            crash_point!("transfer.companion");
            let id = format!("{}-{number}", way.record.id);
            let sha256 = wanted.sha256();
            let whole = Some(Whole { path: &wanted.path, size: wanted.size(), sha256: &sha256 });
            let name = PartName { whole, upload: None, ..self.named(way, &id) };
            let (mut part, _) = self.ports.target.part(folder, name, 0).await?;
            if !wanted.content.is_empty() {
                part.append(wanted.content.clone()).await?;
            }
            part.sync().await?;
            self.read_back_companion(&mut *part, &wanted).await?;
            let naming = match self.deliver.on_exists {
                OnExists::Replace => Naming::Replace,
                OnExists::Error | OnExists::Suffix => Naming::New,
            };
            if part.publish(&wanted.path, naming).await? {
                continue;
            }
            part.discard().await?;
            let there = self.ports.target.find(&wanted.path, wanted.size()).await?;
            if !there.is_some_and(|there| wanted.is(&there)) {
                return Err(taken(&wanted.path));
            }
            self.ports.target.keep_name(&wanted.path).await?;
        }
        Ok(())
    }
}

impl Deliverer {
    /// Reads a companion before it gets its name, as its file was.
    async fn read_back_companion(&self, part: &mut dyn TargetPart, wanted: &Following) -> Result<(), Fault> {
        if !self.deliver.to.is_read_back() || wanted.content.is_empty() {
            return Ok(());
        }
        if part.read(0, wanted.content.len() + 1).await? == wanted.content {
            return Ok(());
        }
        part.discard().await?;
        let (path, reason) = (wanted.path.clone(), "read back, it is not what was written".to_owned());
        Err(Fault::Passing(TargetError::Failed { path, reason }.into()))
    }
}

fn taken(path: &str) -> Fault {
    let reason =
        format!("the name of the companion `{path}` has another content; move it away, or choose another `on_exists`");
    Fault::Lasting(FailureKind::Conflict, reason)
}
