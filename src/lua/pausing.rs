//! What has to do with the threads of the interpreter. A script pauses in the middle: a hook in the thread that it runs in
//! counts its instructions, and now and then asks the store whether others have waited long enough. And functions of ours
//! that a script calls are called with care. What happens to a script that has paused is the engine's business.

use alloc::{boxed::Box, format, rc::Rc, vec::Vec};
use core::result::Result;

use lua_gc::HeapGuard;
use lua_types::{closure::LuaClosure, error::LuaError, status::LuaStatus, value::LuaValue};
use lua_vm::{
    api,
    debug::{LuaDebug, get_info, get_stack, set_hook},
    state::{LuaCallable, LuaRustFunction, LuaState},
};
use omnilua::{HostHooks, Lua, LuaRuntime, LuaVersion};

use super::{CHECK_INTERVAL, State};

/// The interpreter's hooks of the kind that counts instructions.
const COUNT: i32 = 1 << 3;

/// How often the hook is called before it asks: some milliseconds.
const CALLS: u32 = 20_000;

/// Where a function written in C finds the first value that it was made with.
const FIRST_UPVALUE: i32 = -1_001_001;

/// Keeps the collector from running, beside the bits that are the interpreter's own.
const HELD: u8 = 1 << 6;

/// What a text begins with that is to be raised as an error of the function that called.
pub const UNPLACED: u8 = 1;

/// Lua 5.1 with two more functions among its globals: `arm`, which has the thread that calls it pause when the store wants
/// that, and `guard`, which makes a function of another one.
pub fn new_lua(state: &Rc<State>) -> Result<Lua, omnilua::Error> {
    let mut runtime = LuaRuntime::with_hooks_versioned(HostHooks::new(), LuaVersion::V51)?;
    let inner = runtime.state_mut();
    {
        let _guard = HeapGuard::push(&inner.global().heap);
        let state = state.clone();
        let arm: LuaRustFunction = Rc::new(move |thread| {
            set_hook(thread, Some(Box::new(hook(state.clone()))), COUNT, CHECK_INTERVAL as i32);
            Ok(0)
        });
        let at = inner.global().c_functions.len();
        inner.global_mut().c_functions.push(LuaCallable::rust(arm));
        inner.push(LuaValue::Function(LuaClosure::LightC(at)));
        api::set_global(inner, b"arm")?;
        api::push_cclosure(inner, guard, 0)?;
        api::set_global(inner, b"guard")?;
    }
    Ok(runtime.into_lua())
}

fn hook(state: Rc<State>) -> impl FnMut(&mut LuaState, &LuaDebug) {
    let mut left = CALLS;
    move |thread, _| {
        left -= 1;
        if left > 0 {
            return;
        }
        left = CALLS;
        // In the middle of what the interpreter itself does, such as sorting, no script can pause; it will later.
        if thread.is_yieldable() && state.host.with(|host| host.wants_pause()) == Some(true) {
            thread.status = LuaStatus::Yield as u8;
            thread.set_ci_u2_nyield(thread.ci, 0);
        }
    }
}

fn guard(thread: &mut LuaState) -> Result<usize, LuaError> {
    thread.push_value_at(1)?;
    api::push_cclosure(thread, guarded, 1)?;
    Ok(1)
}

/// Calls the function that this one was made of. The collector waits meanwhile: what our functions make is made in the main
/// thread, and from there the values of the thread that calls are not seen.
fn guarded(thread: &mut LuaState) -> Result<usize, LuaError> {
    let (args, frame, before) = (thread.top(), thread.ci, thread.global().gcstp);
    api::push_value(thread, FIRST_UPVALUE);
    thread.insert(1)?;
    thread.global_mut().gcstp = before | HELD;
    let outcome = api::call_k(thread, args, -1, 0, None);
    thread.global_mut().gcstp = before;
    if let Err(error) = outcome {
        thread.ci = frame;
        return Err(placed(thread, error));
    }
    Ok(thread.top() as usize)
}

/// An error with the place in the script that called in front of its text, if it has none yet.
fn placed(thread: &mut LuaState, error: LuaError) -> LuaError {
    let value = error.into_value();
    let text = match &value {
        LuaValue::Str(text) => text.as_bytes().strip_prefix(&[UNPLACED]).map(<[u8]>::to_vec),
        _ => None,
    };
    let Some(text) = text else { return LuaError::from_value(value) };
    let mut caller = LuaDebug::default();
    let is_known = get_stack(thread, 1, &mut caller) && get_info(thread, b"Sl", &mut caller);
    let mut whole = Vec::new();
    if is_known && caller.currentline > 0 {
        let name = caller.short_src.split(|&byte| byte == 0).next().unwrap_or_default();
        whole.extend_from_slice(name);
        whole.extend_from_slice(format!(":{}: ", caller.currentline).as_bytes());
    }
    whole.extend_from_slice(&text);
    match thread.new_string(&whole) {
        Ok(text) => LuaError::from_value(LuaValue::Str(text)),
        Err(error) => error,
    }
}
