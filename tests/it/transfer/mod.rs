//! Files from here to there, with the real binary.

mod age;
mod beside;
mod crash;
mod daemon;
mod doctor;
mod faults;
mod files;
mod filter_files;
mod filters;
mod lost;
mod mongo;
mod nats;
mod nats_faults;
mod odd;
mod openpgp;
mod refused;
mod rig;
mod run;
mod s3;
mod s3_denied;
mod s3_faults;
mod s3_keys;
mod sftp;
mod sftp_logins;
mod sftp_tries;
