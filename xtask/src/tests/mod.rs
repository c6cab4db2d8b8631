//! What holds for every spec: no input makes the generator panic, the same input gives the same output, and what is committed
//! is what the specs say.

mod fresh;
mod fuzz;
mod mutate;
mod text;
