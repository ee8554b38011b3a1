//! One page of a list and the way to its neighbours.

use serde::Serialize;
use serde_json::json;
use url::form_urlencoded::Serializer;
use utoipa::ToSchema;

use super::{Arguments, RestError};

/// The most objects on a page, and how many there are unless asked otherwise.
pub const DEFAULT_PAGE_OBJECTS: usize = 20;

/// Beyond every list; keeps sums and database integers from overflowing.
const MAX_OFFSET: u64 = u32::MAX as u64;

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Page {
    /// The most objects to return.
    pub limit: usize,
    /// How many objects come before the first.
    pub offset: usize,
}

impl Page {
    /// Reads `limit` and `offset`.
    ///
    /// # Errors
    ///
    /// [`RestError::Limit`] or [`RestError::Offset`] if one is out of range.
    pub fn parse(arguments: &Arguments) -> Result<Self, RestError> {
        arguments.note("limit", || {
            let most = DEFAULT_PAGE_OBJECTS;
            json!({ "type": "integer", "minimum": 1, "maximum": most, "default": most })
        });
        arguments.note(
            "offset",
            || json!({ "type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0 }),
        );
        let limit = match arguments.text("limit")? {
            None => DEFAULT_PAGE_OBJECTS,
            Some(text) => match text.parse() {
                Ok(limit @ 1..=DEFAULT_PAGE_OBJECTS) => limit,
                _ => return Err(RestError::Limit(text)),
            },
        };
        let offset = match arguments.text("offset")? {
            None => 0,
            Some(text) => text.parse::<u64>().map_err(|_| RestError::Offset(text))?.min(MAX_OFFSET) as usize,
        };
        Ok(Self { limit, offset })
    }
}

/// What a page says of the list around it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Meta {
    /// How many objects the whole list has.
    pub count: usize,
    /// The same under the name that other clients read.
    pub total_count: usize,
    /// The most objects on this page.
    pub limit: usize,
    /// How many objects come before the first.
    pub offset: usize,
    /// Where the next page is.
    #[schema(required)]
    pub next: Option<String>,
    /// Where the page before is.
    #[schema(required)]
    pub previous: Option<String>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct List<T> {
    /// Of the list.
    pub meta: Meta,
    /// Of the page.
    pub objects: Vec<T>,
}

impl<T> List<T> {
    /// The page of `objects`, out of `count` in all, found at `path` by `filters`.
    pub fn new(
        objects: Vec<T>,
        page: Page,
        count: usize,
        path: &str,
        filters: &[(&'static str, String)],
    ) -> Self {
        let link = |offset: usize| {
            let query = Serializer::new(String::new())
                .append_pair("limit", &page.limit.to_string())
                .append_pair("offset", &offset.to_string())
                .extend_pairs(filters)
                .finish();
            format!("{path}?{query}")
        };
        let after = page.offset.saturating_add(page.limit);
        let meta = Meta {
            count,
            total_count: count,
            limit: page.limit,
            offset: page.offset,
            next: (after < count).then(|| link(after)),
            previous: (page.offset > 0).then(|| link(page.offset.saturating_sub(page.limit))),
        };
        Self { meta, objects }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(query: &str) -> Result<Page, RestError> {
        Page::parse(&Arguments::from_form(query.as_bytes()))
    }

    #[test]
    fn a_page_has_twenty_objects_unless_fewer_are_asked_for() {
        assert_eq!(parse(""), Ok(Page { limit: 20, offset: 0 }));
        assert_eq!(parse("limit=5&offset=40"), Ok(Page { limit: 5, offset: 40 }));
        assert_eq!(parse("offset=18446744073709551615").unwrap().offset, 4_294_967_295);
    }

    #[test]
    fn a_wrong_page_is_refused_in_the_words_of_the_sdk() {
        for (query, text) in [
            ("limit=0", "0 < limit <= 20 (actual value: 0)"),
            ("limit=21", "0 < limit <= 20 (actual value: 21)"),
            ("limit=x", "0 < limit <= 20 (actual value: x)"),
            ("offset=-1", "0 <= offset (actual value: -1)"),
        ] {
            let error = parse(query).unwrap_err();
            assert_eq!((error.status(), error.to_string().as_str()), (400, text));
        }
    }

    #[test]
    fn neighbours_keep_the_filters() {
        let page = Page { limit: 20, offset: 10 };
        let filters = [("friendly_name", "my room".to_owned())];
        let list = List::new(vec![1, 2], page, 31, "/v1/x/", &filters);
        assert_eq!(
            serde_json::to_value(list).unwrap(),
            serde_json::json!({
                "meta": {
                    "count": 31,
                    "total_count": 31,
                    "limit": 20,
                    "offset": 10,
                    "next": "/v1/x/?limit=20&offset=30&friendly_name=my+room",
                    "previous": "/v1/x/?limit=20&offset=0&friendly_name=my+room",
                },
                "objects": [1, 2],
            })
        );
    }

    #[test]
    fn a_list_of_one_page_has_no_neighbours() {
        let meta = List::<u8>::new(Vec::new(), Page { limit: 20, offset: 0 }, 20, "/", &[]).meta;
        assert_eq!((meta.next, meta.previous), (None, None));
    }
}
