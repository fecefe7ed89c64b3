//! Values survive the way in and out, and schemas say what is accepted.

use super::arbitrary::{json_of, shape, spoiled};
use super::wat::echoes;
use super::*;
use proptest::prelude::*;
use serde_json::json;

/// A shape with JSON of it.
fn typed() -> impl Strategy<Value = (Shape, Value)> {
    shape().prop_flat_map(|shape| (Just(shape.clone()), json_of(&shape)))
}

fn decoded(shape: &Shape, value: &Value) -> Result<Val, InputError> {
    let params = Named::new(vec![("v".to_owned(), shape.clone())]);
    let vals = decode::decode_params(&params, &json!({ "v": value }))?;
    Ok(vals.into_iter().next().unwrap())
}

fn is_valid(shape: &Shape, direction: Direction, value: &Value) -> bool {
    let schema = schema::schema(shape, direction);
    jsonschema::validator_for(&schema).unwrap_or_else(|error| panic!("{error}\n{schema}")).is_valid(value)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    #[test]
    fn json_to_value_to_json_is_the_same((shape, value) in typed()) {
        let val = decoded(&shape, &value).unwrap();
        prop_assert_eq!(&encode::encode(&shape, val.clone()).unwrap(), &value);
        // The same after a way through text, in which a wide number keeps its digits.
        let read: Value = serde_json::from_str(&value.to_string()).unwrap();
        prop_assert_eq!(decoded(&shape, &read).unwrap(), val);
    }

    #[test]
    fn what_is_written_fits_both_schemas((shape, value) in typed()) {
        prop_assert!(is_valid(&shape, Direction::Output, &value));
        prop_assert!(is_valid(&shape, Direction::Input, &value));
    }

    #[test]
    fn the_schema_accepts_what_the_decoder_accepts(
        (shape, value) in typed().prop_flat_map(|(shape, value)| (Just(shape), spoiled(value)))
    ) {
        let decoded = decoded(&shape, &value);
        prop_assert_eq!(is_valid(&shape, Direction::Input, &value), decoded.is_ok(), "{:?}", decoded);
    }

    #[test]
    fn values_of_another_type_are_errors((shape, _) in typed(), (other, value) in typed()) {
        if let Ok(val) = decoded(&other, &value) {
            // Either it happens to fit or it is a mismatch; it is never a panic.
            let _ = encode::encode(&shape, val);
        }
    }
}

proptest! {
    // Each case compiles a component.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(24) })]

    #[test]
    fn an_instance_gives_back_what_it_was_given(typed in proptest::collection::vec(typed(), 8)) {
        let shapes: Vec<Shape> = typed.iter().map(|(shape, _)| shape.clone()).collect();
        let component = echoes(&shapes);
        let reflection = reflected_tools(&component);
        prop_assert!(reflection.skipped.is_empty(), "{:?}", reflection.skipped);
        for (index, ((shape, value), reflected)) in typed.iter().zip(&reflection.tools).enumerate() {
            let list = match shape {
                Shape::Int(Int::U8) => Shape::Bytes,
                shape => Shape::List(Box::new(shape.clone())),
            };
            prop_assert_eq!(reflected.result.as_ref(), Some(&list));
            let parts = call_once(&component, &format!("echo{index}"), &json!({ "v": [value, value] })).unwrap().unwrap();
            if list == Shape::Bytes {
                prop_assert_eq!(&parts[0].media_type, "application/octet-stream");
                prop_assert_eq!(json!(parts[0].data), json!([value, value]));
            } else {
                let read: Value = serde_json::from_slice(&parts[0].data).unwrap();
                prop_assert_eq!(read, json!([value, value]));
            }
        }
    }
}
