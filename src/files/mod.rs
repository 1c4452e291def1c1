//! Every opening of a file or folder of this host. Nobody else opens one: a rule test says so.
//!
//! Two kinds of path come here. What lies **beneath** a folder that others may write to, such as the output root, is opened from
//! that folder's handle: no link is followed on the way, nothing is waited for, and only plain files and folders count. What a
//! person **named**, a worker file or a certificate, may be reached through links, as a mounted ConfigMap or Secret is; it has to
//! be a plain file all the same, and has a largest size.

mod beneath;
mod digest;
mod durable;
mod foreign;
mod moves;
mod named;
mod notice;
#[cfg(test)]
mod tests;

pub(crate) use beneath::{Beneath, Found};
pub(crate) use digest::copy_digested;
pub(crate) use durable::{is_current, sync_names};
pub(crate) use foreign::Foreign;
pub(crate) use moves::{folder_made, keep, let_go};
pub(crate) use named::{
    beside_database, check_database, check_own_database, check_plain, group_number, identity, make_folders,
    make_private_folder, mode, names, open, open_or_make_private, read, remove_folder, replace, replace_private,
    write_new, write_new_private,
};
pub(crate) use notice::{drain, notices, watch};
