//! The files that are written from the rows of the commands. They are committed, so that nobody has to build to read them,
//! and compared here; `UPDATE=1` writes them. What a file looks like is in the module named after it.

mod generate;

use std::{env, fs, path::Path};

use keyside::{commands::Spec, engine::dispatch::Table};

/// A file, and what makes it from all commands in the order of their numbers.
type File = (&'static str, fn(&[&'static Spec]) -> String);

const FILES: &[File] = &[
    ("COMPATIBILITY.md", generate::compatibility::file),
    ("pkg/src/commands.ts", generate::typescript::file),
];

#[test]
fn generated_files_say_what_the_rows_say() {
    let table = Table::new();
    let specs: Vec<&Spec> = table.all().map(|known| table.spec(known)).collect();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut stale = Vec::new();
    for (path, generate) in FILES {
        let text = generate(&specs);
        if fs::read_to_string(root.join(path)).is_ok_and(|old| old == text) {
            continue;
        }
        match env::var_os("UPDATE") {
            Some(_) => fs::write(root.join(path), text).expect("a generated file can be written"),
            None => stale.push(path),
        }
    }
    assert!(stale.is_empty(), "{stale:?} are not what the rows say; `make update` writes them");
}
