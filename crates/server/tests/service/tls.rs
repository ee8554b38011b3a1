//! The API under its vendor's name, with a certificate of one's own.

use mixminus_server::cert;
use reqwest::{Certificate, Client};

use crate::{AUTH_ID, Running, TOKEN};

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_trusts_the_private_authority_reaches_the_api_by_its_vendors_name() {
    let folder = tempfile::tempdir().unwrap();
    let made = cert::write(folder.path(), &["api.plivo.com".into()], cert::today()).unwrap();
    let running = Running::start(&[
        ("MIXMINUS__HTTP__TLS_LISTEN", "127.0.0.1:0"),
        ("MIXMINUS__HTTP__TLS_CERTIFICATE", made.certificate.to_str().unwrap()),
        ("MIXMINUS__HTTP__TLS_KEY", made.key.to_str().unwrap()),
    ])
    .await;
    let address = running.service.https_address().unwrap();
    let authority = Certificate::from_pem(&std::fs::read(&made.authority).unwrap()).unwrap();
    let ask = async |trusted: Vec<Certificate>, name: &str| {
        let client = Client::builder().tls_certs_only(trusted).resolve(name, address).build().unwrap();
        let url = format!("https://{name}:{}/v1/Account/{AUTH_ID}/", address.port());
        client.get(url).basic_auth(AUTH_ID, Some(TOKEN)).send().await
    };
    let answer = ask(vec![authority.clone()], "api.plivo.com").await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.text().await.unwrap().contains(AUTH_ID));
    assert!(ask(vec![authority], "other.example").await.unwrap_err().is_connect(), "another name");
    assert!(ask(Vec::new(), "api.plivo.com").await.unwrap_err().is_connect(), "nobody to trust");
    running.service.drain().await;
}
