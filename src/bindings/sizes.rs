//! Limits of what a script can ask for in one word. The engine's own limits of sizes count every list again at every
//! call; memory that grows bit by bit is watched by `host::limits` instead.

use super::guard::raise;
use crate::core::Error;
use rhai::{Array, Blob, Dynamic, Engine, EvalAltResult, ImmutableString, NativeCallContext};

/// The most items, characters or bytes one call makes.
const MOST: i64 = 1 << 27;
/// How deep expressions may be nested: each level takes a part of the stack.
const DEPTH: usize = 1000;

type Out<T> = Result<T, Box<EvalAltResult>>;

/// `len`, if that many can be made; a negative one is 0.
fn size(ctx: &NativeCallContext, what: &str, len: i64) -> Out<usize> {
    if len > MOST {
        let e = Error::new(format!("{len} {what} are too many")).hint(format!("at most {MOST}"));
        return Err(raise(e, ctx.call_position()));
    }
    Ok(usize::try_from(len).unwrap_or(0))
}

fn pad_text(ctx: &NativeCallContext, text: &mut ImmutableString, len: i64, by: &str) -> Out<()> {
    let (len, has) = (size(ctx, "characters", len)?, text.chars().count());
    let by: Vec<char> = by.chars().collect();
    if len > has && !by.is_empty() {
        text.make_mut().extend(by.iter().copied().cycle().take(len - has));
    }
    Ok(())
}

/// Sets the limits of `engine`.
pub fn register(engine: &mut Engine) {
    engine.set_max_expr_depths(DEPTH, DEPTH);
    engine
        .register_fn("pad", |c: NativeCallContext, list: &mut Array, len: i64, item: Dynamic| -> Out<()> {
            let len = size(&c, "items", len)?;
            if len > list.len() {
                list.resize(len, item);
            }
            Ok(())
        })
        .register_fn("pad", |c: NativeCallContext, text: &mut ImmutableString, len: i64, by: char| {
            pad_text(&c, text, len, &by.to_string())
        })
        .register_fn(
            "pad",
            |c: NativeCallContext, text: &mut ImmutableString, len: i64, by: ImmutableString| {
                pad_text(&c, text, len, &by)
            },
        )
        .register_fn("pad", |c: NativeCallContext, blob: &mut Blob, len: i64, byte: i64| -> Out<()> {
            let len = size(&c, "bytes", len)?;
            if len > blob.len() {
                blob.resize(len, (byte & 0xff) as u8);
            }
            Ok(())
        })
        .register_fn("blob", |c: NativeCallContext, len: i64| -> Out<Blob> {
            Ok(vec![0; size(&c, "bytes", len)?])
        })
        .register_fn("blob", |c: NativeCallContext, len: i64, byte: i64| -> Out<Blob> {
            Ok(vec![(byte & 0xff) as u8; size(&c, "bytes", len)?])
        });
}
