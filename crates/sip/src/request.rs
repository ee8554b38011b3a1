//! What a peer asks inside a call.

use rsipstack::dialog::DialogId;
use rsipstack::sip::{Method, StatusCode};
use rsipstack::transaction::transaction::Transaction;

use crate::message;
use crate::task::{CallTask, Progress, Stage, log};

impl CallTask {
    /// Handles a request inside the dialog.
    pub(crate) async fn request(&mut self, request: Transaction) {
        let same = DialogId::try_from(&request).is_ok_and(|id| id == self.dialog.id());
        let number = message::cseq(&request.original);
        if !same {
            return self.agent.answer(&request, StatusCode::CallTransactionDoesNotExist, vec![]).await;
        }
        if number < self.newest {
            return self.agent.answer(&request, StatusCode::ServerInternalError, vec![]).await;
        }
        let repeated = number == std::mem::replace(&mut self.newest, number);
        match (request.original.method, &self.stage) {
            (Method::Bye, Stage::Over { .. }) => {
                self.agent.answer(&request, StatusCode::OK, vec![]).await;
            }
            (Method::PRack, Stage::Offered { .. }) => self.confirm(request).await,
            // Before the answer to our call, a far end that has spoken may propose another session.
            (Method::Update, Stage::Calling(early)) if early.knows(&self.dialog.id().remote_tag) => {
                self.consider(request).await;
            }
            (_, Stage::Over { .. } | Stage::Calling(_)) if !self.dialog.state().is_confirmed() => {
                self.agent.answer(&request, StatusCode::CallTransactionDoesNotExist, vec![]).await;
            }
            (Method::Bye, _) => self.serve_bye(request),
            (Method::Options, _) => {
                let headers = vec![message::allow(), message::accept(), message::supported()];
                self.agent.answer(&request, StatusCode::OK, headers).await;
            }
            (Method::Info, _) => self.inform(&request, repeated).await,
            (Method::PRack, _) => {
                self.agent.answer(&request, StatusCode::CallTransactionDoesNotExist, vec![]).await;
            }
            (Method::Refer, _) => self.consider_transfer(request).await,
            (Method::Notify, _) => self.notice(request).await,
            (Method::Invite | Method::Update, _) => self.consider(request).await,
            _ => {
                self.agent.answer(&request, StatusCode::MethodNotAllowed, vec![message::allow()]).await;
            }
        }
    }

    fn serve_bye(&mut self, mut request: Transaction) {
        let mut dialog = (*self.dialog).clone();
        self.background.spawn(async move {
            log("serve bye", dialog.handle(&mut request).await);
            Progress::Done
        });
    }
}
