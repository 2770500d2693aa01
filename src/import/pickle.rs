//! What a pickle says, read and not executed: as far as torch's tables of tensors go.
//!
//! A pickle is a program for a stack machine. Here its values are put together as it says, and nothing that it names is looked up,
//! called or imported: where it would call something, that is noted with its arguments. Opcodes:
//! <https://github.com/python/cpython/blob/main/Lib/pickletools.py>.

use std::collections::HashMap;
use std::rc::Rc;

use uphill_envs::quoted;

use super::array::Kind;

/// A tensor, where its numbers are claimed to be.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) name: String,
    pub(super) storage: String,
    pub(super) kind: Kind,
    pub(super) offset: usize,
    pub(super) shape: Vec<usize>,
    pub(super) stride: Vec<usize>,
}

/// A value by its place among all; the same may stand in many others.
type Place = usize;

#[derive(Debug)]
enum Node {
    /// A value that no tensor is made of.
    Other,
    Mark,
    Int(i64),
    /// Shared, as a class is named by what may be recalled as often as one likes.
    Text(Rc<str>),
    Class(Rc<str>, Rc<str>),
    Tuple(Vec<Place>),
    List,
    Dict(Vec<(Place, Place)>),
    /// What would be called, and with what.
    Called(Place, Place),
    /// What lies outside the pickle.
    Persistent(Place),
}

/// The tensors of a pickled state dict.
pub(super) fn state_dict(bytes: &[u8]) -> Result<Vec<Claim>, String> {
    let mut machine = Machine { bytes, at: 0, nodes: Vec::new(), stack: Vec::new(), memo: HashMap::new() };
    let root = machine.run()?;
    let Node::Dict(entries) = &machine.nodes[root] else {
        let remedy = "save a state dict, torch.save(agent.state_dict(), \"agent.pt\")";
        return Err(format!("it holds an object of a program's own, which is not made: {remedy}"));
    };
    if entries.len() > MOST_TENSORS {
        return Err(format!("it holds {} entries, and no policy here has more than {MOST_TENSORS}", entries.len()));
    }
    entries.iter().map(|&(name, value)| machine.tensor(name, value)).collect()
}

/// Dimensions of a tensor at most, bytes of its name, and tensors of a state dict: a few bytes of a pickle may name what is large as often
/// as they like.
const MOST_DIMENSIONS: usize = 64;
const LONGEST_NAME: usize = 1_000;
const MOST_TENSORS: usize = 10_000;
/// Values at most: a byte of a pickle makes one, which takes fifty.
const MOST_VALUES: usize = 1_000_000;

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node>,
    stack: Vec<Place>,
    memo: HashMap<u32, Place>,
}

impl<'a> Machine<'a> {
    fn take(&mut self, len: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or("the pickle breaks off")?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    /// A whole number of so many bytes, from the lowest.
    fn unsigned(&mut self, len: usize) -> Result<usize, String> {
        let bytes = self.take(len)?;
        Ok(bytes.iter().rev().fold(0usize, |sum, &byte| sum << 8 | usize::from(byte)))
    }

    fn line(&mut self) -> Result<Rc<str>, String> {
        let rest = &self.bytes[self.at..];
        let len = rest.iter().position(|&byte| byte == b'\n').ok_or("the pickle breaks off")?;
        let line = self.take(len)?;
        self.at += 1;
        Ok(String::from_utf8_lossy(line).into())
    }

    fn text(&mut self, len: usize) -> Result<(), String> {
        let text = String::from_utf8_lossy(self.take(len)?);
        self.push(Node::Text(text.into()))
    }

    fn push(&mut self, node: Node) -> Result<(), String> {
        if self.nodes.len() == MOST_VALUES {
            return Err(format!(
                "the pickle has more than {MOST_VALUES} values, and no policy's table of tensors has"
            ))?;
        }
        self.nodes.push(node);
        self.stack.push(self.nodes.len() - 1);
        Ok(())
    }

    fn pop(&mut self) -> Result<Place, String> {
        self.stack.pop().ok_or_else(|| "the pickle takes what is not there".into())
    }

    fn top(&self) -> Result<Place, String> {
        self.stack.last().copied().ok_or_else(|| "the pickle takes what is not there".into())
    }

    fn pop_many(&mut self, count: usize) -> Result<Vec<Place>, String> {
        let start = self.stack.len().checked_sub(count).ok_or("the pickle takes what is not there")?;
        Ok(self.stack.split_off(start))
    }

    /// All after the last mark, which goes too.
    fn items(&mut self) -> Result<Vec<Place>, String> {
        let mark = self.stack.iter().rposition(|&place| matches!(self.nodes[place], Node::Mark));
        let items = self.stack.split_off(mark.ok_or("the pickle has no mark where one is needed")? + 1);
        self.stack.pop();
        Ok(items)
    }

    fn set(&mut self, items: &[Place]) -> Result<(), String> {
        let dict = self.top()?;
        // Of any other object these are of no interest.
        if let Node::Dict(entries) = &mut self.nodes[dict] {
            entries.extend(items.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        }
        Ok(())
    }

    fn run(&mut self) -> Result<Place, String> {
        loop {
            match self.take(1)?[0] {
                // PROTO, FRAME
                0x80 => drop(self.take(1)?),
                0x95 => drop(self.take(8)?),
                b'.' => return self.pop(),
                b'(' => self.push(Node::Mark)?,
                b'N' | 0x88 | 0x89 => self.push(Node::Other)?,
                b'G' => {
                    self.take(8)?;
                    self.push(Node::Other)?;
                }
                b'K' => {
                    let number = self.unsigned(1)?;
                    self.push(Node::Int(number as i64))?;
                }
                b'M' => {
                    let number = self.unsigned(2)?;
                    self.push(Node::Int(number as i64))?;
                }
                b'J' => {
                    let number = self.unsigned(4)? as u32 as i32;
                    self.push(Node::Int(number.into()))?;
                }
                // LONG1
                0x8a => {
                    let len = self.unsigned(1)?;
                    let bytes = self.take(len)?;
                    let number = bytes
                        .iter()
                        .rev()
                        .try_fold(0i64, |sum, &byte| sum.checked_mul(256).and_then(|sum| sum.checked_add(byte.into())));
                    self.push(number.map_or(Node::Other, Node::Int))?;
                }
                // BINUNICODE, SHORT_BINUNICODE
                b'X' => {
                    let len = self.unsigned(4)?;
                    self.text(len)?;
                }
                0x8c => {
                    let len = self.unsigned(1)?;
                    self.text(len)?;
                }
                // GLOBAL, STACK_GLOBAL
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.push(Node::Class(module, name))?;
                }
                0x93 => {
                    let [module, name] = self.pop_many(2)?.as_slice().try_into().unwrap_or([0; 2]);
                    let text = |place: Place| match &self.nodes[place] {
                        Node::Text(text) => Rc::clone(text),
                        _ => Rc::from(""),
                    };
                    self.push(Node::Class(text(module), text(name)))?;
                }
                b')' => self.push(Node::Tuple(Vec::new()))?,
                b't' => {
                    let items = self.items()?;
                    self.push(Node::Tuple(items))?;
                }
                count @ 0x85..=0x87 => {
                    let items = self.pop_many(usize::from(count - 0x84))?;
                    self.push(Node::Tuple(items))?;
                }
                b']' => self.push(Node::List)?,
                b'a' => drop(self.pop()?),
                b'e' => drop(self.items()?),
                b'}' => self.push(Node::Dict(Vec::new()))?,
                b's' => {
                    let items = self.pop_many(2)?;
                    self.set(&items)?;
                }
                b'u' => {
                    let items = self.items()?;
                    self.set(&items)?;
                }
                // BINPUT, LONG_BINPUT, MEMOIZE
                b'q' => {
                    let (place, key) = (self.top()?, self.unsigned(1)?);
                    self.memo.insert(key as u32, place);
                }
                b'r' => {
                    let (place, key) = (self.top()?, self.unsigned(4)?);
                    self.memo.insert(key as u32, place);
                }
                0x94 => {
                    let (place, key) = (self.top()?, self.memo.len());
                    self.memo.insert(key as u32, place);
                }
                // BINGET, LONG_BINGET
                b'h' => self.recall(1)?,
                b'j' => self.recall(4)?,
                // REDUCE, NEWOBJ
                b'R' | 0x81 => {
                    let (args, class) = (self.pop()?, self.pop()?);
                    let is_dict = matches!(&self.nodes[class], Node::Class(module, name)
                        if &**module == "collections" && &**name == "OrderedDict");
                    self.push(if is_dict { Node::Dict(Vec::new()) } else { Node::Called(class, args) })?;
                }
                // BUILD: what an object keeps beside its entries, such as the versions of modules.
                b'b' => drop(self.pop()?),
                b'Q' => {
                    let place = self.pop()?;
                    self.push(Node::Persistent(place))?;
                }
                other => return Err(format!("the pickle has opcode {other:#04x}, which no table of tensors needs")),
            }
        }
    }

    fn recall(&mut self, len: usize) -> Result<(), String> {
        let key = self.unsigned(len)?;
        let place = self.memo.get(&(key as u32)).ok_or("the pickle recalls what was never kept")?;
        self.stack.push(*place);
        Ok(())
    }

    fn class(&self, place: Place) -> (&str, &str) {
        match &self.nodes[place] {
            Node::Class(module, name) => (module, name),
            _ => ("", ""),
        }
    }

    fn tuple(&self, place: Place) -> &[Place] {
        match &self.nodes[place] {
            Node::Tuple(items) => items,
            _ => &[],
        }
    }

    fn count(&self, place: Place) -> Option<usize> {
        match self.nodes[place] {
            Node::Int(number) => usize::try_from(number).ok(),
            _ => None,
        }
    }

    /// The tensor of an entry: `torch._utils._rebuild_tensor_v2((storage, offset, shape, stride, ...))`, a parameter or not.
    fn tensor(&self, name: Place, value: Place) -> Result<Claim, String> {
        let Node::Text(name) = &self.nodes[name] else { return Err("it has an entry without a name".into()) };
        let none = |what: &str| format!("entry `{}` is no tensor: {what}", quoted(name));
        let (mut class, mut args) = match self.nodes[value] {
            Node::Called(class, args) => (class, args),
            Node::Dict(_) => return Err(none("it is a table of its own: save the state dict alone")),
            _ => return Err(none("nothing else is made")),
        };
        if self.class(class) == ("torch._utils", "_rebuild_parameter") {
            let data = self.tuple(args).first().map(|&place| &self.nodes[place]);
            let Some(&Node::Called(of, with)) = data else { return Err(none("a parameter of nothing")) };
            (class, args) = (of, with);
        }
        let (module, function) = self.class(class);
        if (module, function) != ("torch._utils", "_rebuild_tensor_v2") {
            let called = quoted(&format!("{module}.{function}"));
            return Err(none(&format!("{called} would have to be called, and nothing of a pickle is")));
        }
        let broken = || none("its parts are not those of torch");
        let &[storage, offset, shape, stride, ..] = self.tuple(args) else { return Err(broken()) };
        let Node::Persistent(storage) = self.nodes[storage] else { return Err(broken()) };
        let &[_, kind, key, ..] = self.tuple(storage) else { return Err(broken()) };
        let kind = match self.class(kind) {
            ("torch", "HalfStorage") => Kind::F16,
            ("torch", "BFloat16Storage") => Kind::Bf16,
            ("torch", "FloatStorage") => Kind::F32,
            ("torch", "DoubleStorage") => Kind::F64,
            ("torch", "LongStorage") => Kind::I64,
            (_, other) => return Err(none(&format!("its numbers are of {}: save it as float32", quoted(other)))),
        };
        let Node::Text(key) = &self.nodes[key] else { return Err(broken()) };
        // As many as torch has.
        let is_long = [shape, stride].iter().any(|&place| self.tuple(place).len() > MOST_DIMENSIONS);
        if is_long || name.len() > LONGEST_NAME {
            return Err(none("no tensor has so many dimensions, or so long a name"));
        }
        let counts = |place| self.tuple(place).iter().map(|&place| self.count(place)).collect::<Option<Vec<usize>>>();
        let (shape, stride) = counts(shape).zip(counts(stride)).ok_or_else(broken)?;
        let offset = self.count(offset).ok_or_else(broken)?;
        Ok(Claim { name: name.to_string(), storage: key.to_string(), kind, offset, shape, stride })
    }
}
