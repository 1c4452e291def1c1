//! `filegen daemon` as real processes: who leads, what a trigger makes, what is shown.

mod cut_off;
mod deliveries;
mod doors;
mod foreign;
mod intake;
mod intake_brought;
mod intake_described;
mod intake_doors;
mod intake_hung;
mod intake_killed;
mod intake_page;
mod intake_topics;
mod kept;
mod killed;
mod office;
mod on_mongo;
mod own_clock;
mod rolling;
mod seen;
mod sent;
mod shown;
mod silent;
mod steady;
mod triggered;
mod unasked;
mod unheard;
