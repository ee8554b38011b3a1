//! One method of one path.

use mixminus_plivo::rest::{Arguments, AsyncCallback, Message, Meta, Parameter, RestError, parameters};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

const ACCOUNT: &str = "/v1/Account/{auth_id}/";

/// Schemas by name.
pub type Parts = Vec<(String, RefOr<Schema>)>;

/// One method of one path.
pub struct Operation {
    id: &'static str,
    /// In capitals.
    pub method: &'static str,
    /// Below the account, or with a slash at its beginning when it is not.
    path: &'static str,
    says: &'static str,
    takes: Takes,
    gives: Gives,
}

/// What a request may say.
#[derive(Default)]
pub struct Takes {
    parameters: Vec<Parameter>,
    /// Parameters of which those of one line at least have to be there.
    ways: Vec<Vec<&'static str>>,
}

/// What a request that succeeds is answered with.
pub struct Gives {
    replies: Vec<(u16, Option<Content>)>,
    refusals: Vec<u16>,
    parts: Parts,
}

type Content = (&'static str, Value);

/// The operation `id` on `route`, a method and a path.
pub fn operation(
    route: &'static str,
    id: &'static str,
    says: &'static str,
    takes: Takes,
    gives: Gives,
) -> Operation {
    let (method, path) = route.split_once(' ').expect("a route is a method and a path");
    Operation { id, method, path, says, takes, gives }
}

/// Nothing but the path.
pub fn none() -> Takes {
    Takes::default()
}

/// What `parse` reads.
pub fn reads<T>(parse: impl Fn(&Arguments) -> Result<T, RestError>) -> Takes {
    Takes { parameters: described(&[], &parse), ways: Vec::new() }
}

/// What `parse` reads, which there are several `ways` to ask for; each is an example of its own.
pub fn reads_either<T>(
    ways: &[&[(&'static str, &str)]],
    parse: impl Fn(&Arguments) -> Result<T, RestError>,
) -> Takes {
    let mut parameters: Vec<Parameter> = Vec::new();
    for parameter in ways.iter().flat_map(|way| described(way, &parse)) {
        match parameters.iter_mut().find(|known| known.name == parameter.name) {
            Some(known) => known.required &= parameter.required,
            None => parameters.push(parameter),
        }
    }
    let ways = ways.iter().map(|way| way.iter().map(|(name, _)| *name).collect()).collect();
    Takes { parameters, ways }
}

fn described<T>(
    given: &[(&str, &str)],
    parse: &impl Fn(&Arguments) -> Result<T, RestError>,
) -> Vec<Parameter> {
    parameters(given, parse).expect("a reader takes its own examples")
}

/// 204.
pub fn nothing() -> Gives {
    Gives { replies: vec![(204, None)], refusals: Vec::new(), parts: Vec::new() }
}

/// `T` with an `api_id`.
pub fn json<T: ToSchema>(status: u16) -> Gives {
    let mut parts = Vec::new();
    let schema = json!({ "allOf": [reference("Reply"), part::<T>(&mut parts)] });
    media("application/json", status, (closed(schema), parts))
}

/// A page of `T`.
pub fn list<T: ToSchema>() -> Gives {
    let mut parts = Vec::new();
    let page = json!({
        "type": "object",
        "required": ["meta", "objects"],
        "properties": {
            "meta": part::<Meta>(&mut parts),
            "objects": { "type": "array", "items": part::<T>(&mut parts) },
        },
    });
    media("application/json", 200, (closed(json!({ "allOf": [reference("Reply"), page] })), parts))
}

/// `T` as it is.
pub fn plain<T: ToSchema>(kind: &'static str) -> Gives {
    let mut parts = Vec::new();
    let schema = part::<T>(&mut parts);
    media(kind, 200, (schema, parts))
}

/// Something of a media type, and of a JSON Schema type.
pub fn some(kind: &'static str, schema_type: &str) -> Gives {
    media(kind, 200, (json!({ "type": schema_type }), Vec::new()))
}

fn media(kind: &'static str, status: u16, (schema, parts): (Value, Parts)) -> Gives {
    Gives { replies: vec![(status, Some((kind, schema)))], refusals: Vec::new(), parts }
}

impl Gives {
    /// Or `other`, with the same status.
    pub fn or(mut self, other: Self) -> Self {
        let schemas =
            [&self, &other].map(|gives| gives.replies[0].1.as_ref().map(|(_, schema)| schema.clone()));
        if let Some((_, schema)) = &mut self.replies[0].1 {
            *schema = json!({ "anyOf": schemas });
        }
        self.parts.extend(other.parts);
        self
    }

    /// Or `other`, of another media type.
    pub fn or_as(mut self, other: Self) -> Self {
        self.replies.extend(other.replies);
        self
    }

    /// The same with another status, too.
    pub fn also(mut self, status: u16) -> Self {
        self.replies.push((status, self.replies[0].1.clone()));
        self
    }

    /// A refusal that is not to be expected on any path.
    pub fn refuses(mut self, statuses: &[u16]) -> Self {
        self.refusals.extend(statuses);
        self
    }
}

impl Operation {
    /// The same, which may be answered at a URL instead, as all may that concern an account.
    pub fn or_later(mut self) -> Self {
        if !self.is_of_account() {
            return self;
        }
        self.takes.parameters.extend(described(&[], &AsyncCallback::parse));
        let Gives { replies, parts, .. } = json::<Message>(202);
        self.gives.parts.extend(parts);
        for (status, later) in replies {
            match self.gives.replies.iter_mut().find(|(known, _)| *known == status) {
                Some((_, Some((_, schema)))) => {
                    *schema = json!({ "anyOf": [schema.clone(), later.map(|(_, schema)| schema)] });
                }
                _ => self.gives.replies.push((status, later)),
            }
        }
        self
    }

    /// The path from its root on.
    pub fn full_path(&self) -> String {
        if self.is_of_account() { format!("{ACCOUNT}{}", self.path) } else { self.path.to_owned() }
    }

    fn is_of_account(&self) -> bool {
        !self.path.starts_with('/')
    }

    /// Whether a body is read, be there anything to say in it or not.
    fn reads_body(&self) -> bool {
        !matches!(self.method, "GET" | "HEAD")
    }

    fn has_body(&self) -> bool {
        self.reads_body() && !self.takes.parameters.is_empty()
    }

    /// The Operation Object.
    pub fn describe(&self) -> Value {
        let path = self.full_path();
        let named = path.split(['{', '}']).skip(1).step_by(2).map(path_parameter);
        let queried = self.takes.parameters.iter().filter(|_| !self.has_body()).map(query_parameter);
        let mut operation = json!({
            "operationId": self.id,
            "summary": self.says,
            "tags": [self.tag()],
            "parameters": named.chain(queried).collect::<Vec<_>>(),
            "responses": self.responses(),
        });
        if self.has_body() {
            let schema = json!({ "schema": reference(&self.body_name()) });
            operation["requestBody"] = json!({
                "required": !self.takes.ways.is_empty() || self.takes.parameters.iter().any(|one| one.required),
                "content": { "application/json": schema, "application/x-www-form-urlencoded": schema },
            });
        }
        if !self.is_of_account() {
            operation["security"] = json!([]);
        }
        operation
    }

    fn tag(&self) -> &'static str {
        match self.path.split('/').next() {
            _ if !self.is_of_account() => "Service",
            None | Some("") => "Account",
            Some(word) => word,
        }
    }

    fn responses(&self) -> Value {
        let mut responses = Map::new();
        for (status, content) in &self.gives.replies {
            let says = if *status == 204 { "Done." } else { self.says };
            let reply = responses.entry(status.to_string()).or_insert_with(|| json!({ "description": says }));
            if let Some((kind, schema)) = content {
                reply["content"][*kind] = json!({ "schema": schema });
            }
        }
        let refusal =
            |status: u16| (status.to_string(), json!({ "$ref": format!("#/components/responses/{status}") }));
        responses.extend(self.refusals().map(refusal));
        responses.into()
    }

    /// What any path of an account refuses, and what this one does.
    fn refusals(&self) -> impl Iterator<Item = u16> {
        let (own, body) = (self.is_of_account(), self.reads_body());
        let wrong = body || !self.takes.parameters.is_empty() || self.path.contains("{member_id}");
        let commands = body && matches!(self.tag(), "MultiPartyCall" | "Call" | "Request");
        let usual = [(401, true), (403, true), (404, true), (429, true), (500, true)];
        let more = [(400, wrong), (408, body), (413, body), (415, body), (503, commands)];
        let of_account = usual.into_iter().chain(more).filter(move |(_, may)| own && *may);
        of_account.map(|(status, _)| status).chain(self.gives.refusals.iter().copied())
    }

    /// The schemas that it refers to.
    pub fn schemas(&self) -> impl Iterator<Item = (String, Value)> {
        let body = self.has_body().then(|| (self.body_name(), body_schema(&self.takes)));
        values(self.gives.parts.clone()).chain(body)
    }

    fn body_name(&self) -> String {
        format!("{}.body", self.id)
    }
}

/// The `api_id` that every reply has.
pub fn envelope() -> (String, Value) {
    let api_id = json!({ "type": "string", "format": "uuid", "description": "Id of the request." });
    (
        "Reply".to_owned(),
        json!({ "type": "object", "required": ["api_id"], "properties": { "api_id": api_id } }),
    )
}

/// Adds the schema of `T`, and those it refers to, and refers to it.
pub fn part<T: ToSchema>(parts: &mut Parts) -> Value {
    T::schemas(parts);
    parts.push((T::name().into_owned(), T::schema()));
    reference(&T::name())
}

/// `schema` and no other properties.
pub fn closed(mut schema: Value) -> Value {
    schema["unevaluatedProperties"] = false.into();
    schema
}

/// As the document has them.
pub fn values(parts: Parts) -> impl Iterator<Item = (String, Value)> {
    parts.into_iter().map(|(name, schema)| {
        (name, serde_json::to_value(schema).expect("schemas have string keys and finite numbers"))
    })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn body_schema(Takes { parameters, ways }: &Takes) -> Value {
    let properties: Map<_, _> =
        parameters.iter().map(|one| (one.name.to_owned(), one.schema.clone())).collect();
    let required: Vec<_> = parameters.iter().filter(|one| one.required).map(|one| one.name).collect();
    let mut schema = json!({ "type": "object", "properties": properties });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    if !ways.is_empty() {
        schema["anyOf"] = ways.iter().map(|way| json!({ "required": way })).collect();
    }
    schema
}

fn query_parameter(parameter: &Parameter) -> Value {
    let Parameter { name, schema, required } = parameter;
    json!({ "name": name, "in": "query", "required": required, "schema": schema })
}

fn path_parameter(name: &str) -> Value {
    let says = match name {
        "auth_id" => "The account that is acted for: that of the credentials, or a subaccount of it.",
        "mpc" => "`uuid_` and an `mpc_uuid`, or `name_` and the name of a live one.",
        "member_id" => "A `member_id`; to change or to play, several with commas between, or `all`.",
        "call_uuid" => "A `call_uuid`.",
        _ => "Its id.",
    };
    let schema = match name {
        "member_id" => json!({ "type": "string", "pattern": "^(all|[1-9][0-9]{0,8}(,[1-9][0-9]{0,8})*)$" }),
        _ => json!({ "type": "string", "minLength": 1 }),
    };
    json!({ "name": name, "in": "path", "required": true, "description": says, "schema": schema })
}
