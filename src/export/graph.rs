//! A graph of ONNX's operators while it is being made: its nodes own the names that the crate's types borrow.

use onnx_rs::ast::{
    Attribute, AttributeType, DataType, Dimension, Graph as Proto, Node as ProtoNode, OpType, TensorProto, TensorShape,
    TensorShapeDimension, TensorTypeProto, TypeProto, TypeValue, ValueInfo,
};

/// An attribute of a node.
pub(super) enum Set {
    Int(&'static str, i64),
    Ints(&'static str, Vec<i64>),
    Float(&'static str, f32),
}

/// The numbers of a constant.
pub(super) enum Numbers {
    Float(Vec<f32>),
    Int(Vec<i64>),
}

struct Node {
    operator: OpType<'static>,
    inputs: Vec<String>,
    outputs: Vec<String>,
    attributes: Vec<Set>,
}

/// What goes in or comes out: name, kind of numbers, and what follows the batch in its shape.
type Port = (&'static str, DataType, Vec<usize>);

/// Nodes, constants, inputs and outputs so far.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    constants: Vec<(String, Vec<i64>, Numbers)>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
}

impl Graph {
    /// An input, and its name.
    pub(super) fn input(&mut self, port: Port) -> String {
        let name = port.0.to_string();
        self.inputs.push(port);
        name
    }

    /// An output, which is that value.
    pub(super) fn output(&mut self, port: Port, value: &str) {
        self.nodes.push(Node {
            operator: OpType::Identity,
            inputs: vec![value.into()],
            outputs: vec![port.0.into()],
            attributes: Vec::new(),
        });
        self.outputs.push(port);
    }

    /// A constant of this shape, and its name.
    pub(super) fn constant(&mut self, what: &str, shape: &[usize], numbers: Numbers) -> String {
        let name = format!("{what}_{}", self.constants.len());
        self.constants.push((name.clone(), shape.iter().map(|&side| side as i64).collect(), numbers));
        name
    }

    /// One number.
    pub(super) fn number(&mut self, number: f32) -> String {
        self.constant("number", &[], Numbers::Float(vec![number]))
    }

    /// A row of numbers, the same for the whole batch.
    pub(super) fn row(&mut self, what: &str, numbers: &[f32]) -> String {
        self.constant(what, &[1, numbers.len()], Numbers::Float(numbers.to_vec()))
    }

    /// Values `[N, K]`, and in lanes of which `[N, 1]` is true that number.
    pub(super) fn unless(&mut self, lanes: &str, number: f32, values: &str) -> String {
        let number = self.number(number);
        self.node(OpType::Where, &[lanes, &number, values], Vec::new())
    }

    /// What an operator makes of values.
    pub(super) fn node(&mut self, operator: OpType<'static>, inputs: &[&str], attributes: Vec<Set>) -> String {
        self.nodes_of(operator, inputs, attributes, 1).swap_remove(0)
    }

    /// The same of an operator that makes several values.
    pub(super) fn nodes_of(
        &mut self,
        operator: OpType<'static>,
        inputs: &[&str],
        attributes: Vec<Set>,
        count: usize,
    ) -> Vec<String> {
        let first = self.nodes.len();
        let outputs: Vec<String> = (0..count).map(|k| format!("{}_{first}_{k}", operator.as_str())).collect();
        let inputs = inputs.iter().map(ToString::to_string).collect();
        self.nodes.push(Node { operator, inputs, outputs: outputs.clone(), attributes });
        outputs
    }

    /// The parts of these widths of a value `[N, sum of the widths]`.
    pub(super) fn split(&mut self, value: &str, widths: &[usize]) -> Vec<String> {
        if widths.len() == 1 {
            return vec![value.into()];
        }
        let numbers = Numbers::Int(widths.iter().map(|&width| width as i64).collect());
        let sizes = self.constant("sizes", &[widths.len()], numbers);
        self.nodes_of(OpType::Split, &[value, &sizes], vec![Set::Int("axis", 1)], widths.len())
    }

    /// Values `[N, ...]` side by side.
    pub(super) fn concat(&mut self, values: &[String]) -> String {
        match values {
            [one] => one.clone(),
            _ => {
                let values: Vec<&str> = values.iter().map(String::as_str).collect();
                self.node(OpType::Concat, &values, vec![Set::Int("axis", 1)])
            }
        }
    }

    /// The same in the crate's types.
    pub(super) fn proto(&self) -> Proto<'_> {
        Proto {
            name: "policy",
            node: self.nodes.iter().map(Node::proto).collect(),
            initializer: self.constants.iter().map(constant).collect(),
            input: self.inputs.iter().map(port).collect(),
            output: self.outputs.iter().map(port).collect(),
            ..Proto::default()
        }
    }
}

impl Node {
    fn proto(&self) -> ProtoNode<'_> {
        ProtoNode {
            input: self.inputs.iter().map(String::as_str).collect(),
            output: self.outputs.iter().map(String::as_str).collect(),
            name: &self.outputs[0],
            op_type: self.operator.clone(),
            attribute: self.attributes.iter().map(attribute).collect(),
            ..ProtoNode::default()
        }
    }
}

fn attribute(set: &Set) -> Attribute<'_> {
    let (name, kind) = match set {
        Set::Int(name, _) => (name, AttributeType::Int),
        Set::Ints(name, _) => (name, AttributeType::Ints),
        Set::Float(name, _) => (name, AttributeType::Float),
    };
    let mut attribute = Attribute { name, r#type: kind, ..Attribute::default() };
    match set {
        Set::Int(_, i) => attribute.i = *i,
        Set::Ints(_, ints) => attribute.ints.clone_from(ints),
        Set::Float(_, f) => attribute.f = *f,
    }
    attribute
}

fn constant((name, shape, numbers): &(String, Vec<i64>, Numbers)) -> TensorProto<'_> {
    match numbers {
        Numbers::Float(numbers) => TensorProto::from_f32(name, shape.clone(), numbers.clone()),
        Numbers::Int(numbers) => TensorProto::from_i64(name, shape.clone(), numbers.clone()),
    }
}

fn port((name, kind, shape): &Port) -> ValueInfo<'_> {
    let side = |value| TensorShapeDimension { value, denotation: "" };
    let sides = shape.iter().map(|&numbers| side(Dimension::Value(numbers as i64)));
    let dim = [side(Dimension::Param("batch"))].into_iter().chain(sides).collect();
    let tensor = TensorTypeProto { elem_type: *kind, shape: Some(TensorShape { dim }) };
    let kind = TypeProto { value: Some(TypeValue::Tensor(tensor)), denotation: "" };
    ValueInfo { name, r#type: Some(kind), ..ValueInfo::default() }
}
