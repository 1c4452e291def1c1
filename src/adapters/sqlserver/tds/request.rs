//! What is asked: a batch of SQL text, or one statement with its parameters.

use super::Error;
use super::channel::{BATCH, Connection, RPC};
use tds_protocol::rpc::{RpcParam, RpcRequest, TypeInfo};

/// Characters of a text that is declared as `nvarchar(4000)`; longer ones are `nvarchar(max)`. The declaration is part of
/// what the server keeps a plan under, so it does not follow the value's length.
const SHORT_TEXT: usize = 4000;

/// Bytes of a value that is declared as `varbinary(8000)`.
const SHORT_BINARY: usize = 8000;

impl Connection {
    /// Asks for statements without parameters.
    pub(in super::super) async fn batch(&mut self, sql: &str) -> Result<(), Error> {
        let mut payload = headers(self.session.transaction).to_vec();
        payload.extend(sql.encode_utf16().flat_map(u16::to_le_bytes));
        self.send(BATCH, &payload).await
    }

    /// Asks for one statement; its parameters are named `@P1`, `@P2` and so on.
    pub(in super::super) async fn execute(&mut self, sql: &str, params: Vec<RpcParam>) -> Result<(), Error> {
        let payload = RpcRequest::execute_sql(sql, numbered(params)).encode_with_transaction(self.session.transaction);
        self.send(RPC, &payload).await
    }
}

/// `@P1 date, @P2 nvarchar(4000)`.
pub(in super::super) fn declared(params: Vec<RpcParam>) -> String {
    RpcRequest::build_param_declarations(&numbered(params))
}

/// Parameters with their names.
fn numbered(mut params: Vec<RpcParam>) -> Vec<RpcParam> {
    for (index, param) in params.iter_mut().enumerate() {
        param.name = format!("@P{}", index + 1);
    }
    params
}

/// What stands before a batch: that it belongs to a transaction, and that no other request is out. (ALL_HEADERS)
fn headers(transaction: u64) -> [u8; 22] {
    let mut headers = [22, 0, 0, 0, 18, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0];
    headers[10..18].copy_from_slice(&transaction.to_le_bytes());
    headers
}

/// A text as a parameter.
pub(in super::super) fn text(text: &str) -> RpcParam {
    let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let kind = if bytes.len() > 2 * SHORT_TEXT { TypeInfo::nvarchar_max() } else { TypeInfo::nvarchar(4000) };
    RpcParam::new("", kind, bytes.into())
}

/// Bytes as a parameter.
pub(in super::super) fn binary(bytes: Vec<u8>) -> RpcParam {
    let kind = if bytes.len() > SHORT_BINARY { TypeInfo::varbinary_max() } else { TypeInfo::varbinary(8000) };
    RpcParam::new("", kind, bytes.into())
}
