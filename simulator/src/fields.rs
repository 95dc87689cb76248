//! Long lists as JSON: written straight from what is remembered, and only the fields that were asked for.

use std::borrow::Borrow;

use serde::Serialize;
use serde_json::Value;

/// Something that can be written field by field.
pub(crate) trait Record {
    /// Its fields, in the order in which they are shown.
    const FIELDS: &'static [&'static str];

    /// Writes the value of a field; false when it has none, and then it is left out.
    fn write(&self, field: &str, json: &mut Vec<u8>) -> bool;
}

/// Writes a value as JSON; always true, for the sake of [`Record::write`].
pub(crate) fn put<T: Serialize + ?Sized>(json: &mut Vec<u8>, value: &T) -> bool {
    // Neither a growing buffer nor these values, whose keys are all texts, give a reason to fail.
    let _ = serde_json::to_writer(&mut *json, value);
    true
}

/// The fields that a query names, or all of them; an error is the name that there is not.
pub(crate) fn selected<R: Record>(query: Option<&str>) -> Result<Vec<&'static str>, String> {
    let Some(query) = query else { return Ok(R::FIELDS.to_vec()) };
    let known = |name: &str| R::FIELDS.iter().find(|field| **field == name).copied().ok_or_else(|| name.to_owned());
    query.split(',').map(|name| known(name.trim())).collect()
}

/// A JSON list of records.
pub(crate) fn list<R: Record, B: Borrow<R>>(records: impl IntoIterator<Item = B>, fields: &[&str]) -> Vec<u8> {
    let mut json = vec![b'['];
    for record in records {
        if json.len() > 1 {
            json.push(b',');
        }
        json.push(b'{');
        let mut is_first = true;
        for field in fields {
            let before = json.len();
            if !is_first {
                json.push(b',');
            }
            put(&mut json, field);
            json.push(b':');
            if record.borrow().write(field, &mut json) {
                is_first = false;
            } else {
                json.truncate(before);
            }
        }
        json.push(b'}');
    }
    json.push(b']');
    json
}

/// One record as a value, with all its fields.
pub(crate) fn to_value<R: Record>(record: &R) -> Value {
    let json = list::<R, _>([record], R::FIELDS);
    // A list of one, written just above.
    serde_json::from_slice::<[Value; 1]>(&json).map(|[value]| value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Point(u8, Option<u8>);

    impl Record for Point {
        const FIELDS: &'static [&'static str] = &["x", "y"];

        fn write(&self, field: &str, json: &mut Vec<u8>) -> bool {
            match field {
                "x" => put(json, &self.0),
                "y" => self.1.is_some_and(|y| put(json, &y)),
                _ => false,
            }
        }
    }

    #[test]
    fn what_is_not_there_or_not_asked_for_is_left_out() {
        let written = |query| {
            let fields = selected::<Point>(query).unwrap_or_else(|name| panic!("{name}"));
            String::from_utf8_lossy(&list::<Point, _>([Point(1, Some(2)), Point(3, None)], &fields)).into_owned()
        };
        assert_eq!(written(None), r#"[{"x":1,"y":2},{"x":3}]"#);
        assert_eq!(written(Some("y")), r#"[{"y":2},{}]"#);
        assert_eq!(written(Some("y, x")), r#"[{"y":2,"x":1},{"x":3}]"#);
        assert_eq!(selected::<Point>(Some("x,z")), Err("z".to_owned()));
    }
}
