//! Vector's remap language: reads JSON lines, runs one program over each, writes JSON lines.
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufWriter, Write};
use vrl::compiler::{state::RuntimeState, Context, TargetValue, TimeZone};
use vrl::value::{KeyString, Secrets, Value};

fn main() {
    let program = match vrl::compiler::compile(include_str!("map.vrl"), &vrl::stdlib::all()) {
        Ok(done) => done.program,
        Err(errors) => panic!("{errors:?}"),
    };
    let mut state = RuntimeState::default();
    let zone = TimeZone::default();
    let stdin = io::stdin().lock();
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    for line in stdin.lines() {
        let value: Value = serde_json::from_str(&line.expect("a line")).expect("JSON");
        let mut target = TargetValue { value, metadata: Value::Object(BTreeMap::<KeyString, Value>::new().into_iter().collect()), secrets: Secrets::new() };
        let mut context = Context::new(&mut target, &mut state, &zone);
        let made = program.resolve(&mut context).expect("a record");
        serde_json::to_writer(&mut out, &made).expect("output");
        out.write_all(b"\n").expect("output");
        state.clear();
    }
}
