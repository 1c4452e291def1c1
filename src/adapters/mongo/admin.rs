//! The server's clock and indexes, for `doctor`.

use super::MongoState;
use crate::core::ports::admin::StoreAdmin;
use crate::core::ports::store::StoreError;
use async_trait::async_trait;
use jiff::Timestamp;
use mongodb::bson::doc;
use mongodb::error::{Error, ErrorKind};

/// Both tell `localTime`; servers of other makers may know the old word alone.
const QUESTIONS: [&str; 2] = ["hello", "isMaster"];

#[async_trait]
impl StoreAdmin for MongoState {
    fn describe(&self) -> String {
        self.name().to_owned()
    }

    async fn server_time(&self) -> Result<Option<Timestamp>, StoreError> {
        self.call(async {
            for question in QUESTIONS {
                let database = self.link().database.clone();
                match database.run_command(doc! { question: 1 }).await {
                    Ok(answer) => {
                        if let Ok(time) = answer.get_datetime("localTime") {
                            return Ok(Timestamp::from_millisecond(time.timestamp_millis()).ok());
                        }
                    }
                    Err(error) if is_unknown_command(&error) => {}
                    Err(error) => return Err(error.into()),
                }
            }
            Ok(None)
        })
        .await
    }

    async fn missing_indexes(&self) -> Result<Vec<String>, StoreError> {
        Self::missing_indexes(self).await
    }

    async fn make_indexes(&self) -> Result<(), StoreError> {
        Self::make_indexes(self).await
    }
}

fn is_unknown_command(error: &Error) -> bool {
    const COMMAND_NOT_FOUND: i32 = 59;
    matches!(&*error.kind, ErrorKind::Command(refused) if refused.code == COMMAND_NOT_FOUND)
}
