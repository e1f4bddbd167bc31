//! How applications answer: with the token that they were told.

use std::sync::Arc;

use guildhall_host::{Refused, Written};
use guildhall_model::account::{Caller, Credential};
use guildhall_model::command::{AnswerRef, ChannelCommand, Draft, Edit, Response};
use guildhall_model::intent::Intents;
use guildhall_model::interaction::{Answers, InteractionClaim};
use guildhall_model::message::{Message, MessageFlags};
use guildhall_model::rejection::Noun;
use guildhall_model::{ApplicationId, InteractionId, MessageId, Rejection, limits};

use super::Interactions;
use crate::messages::NewMessage;
use crate::uploads::Upload;
use crate::{App, Context};

/// An application that answers an interaction, having shown its token.
#[derive(Clone, Debug)]
pub struct Answering {
    app: App,
    claim: InteractionClaim,
    /// As the application's bot.
    ctx: Context,
}

/// A message that answers.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What it is.
    pub message: NewMessage,
    /// Nobody but the user sees it.
    pub is_private: bool,
}

impl Interactions<'_> {
    /// Whoever may give the first answer to an interaction. Anybody else is told that there is no
    /// such interaction.
    pub fn answering(&self, id: InteractionId, token: &str) -> Result<Answering, Refused> {
        let answering = self.opened(token, |claim| claim.id == id);
        let answering = answering.ok_or(Rejection::Unknown(Noun::Interaction))?;
        let late = i64::try_from(limits::INTERACTION_ANSWER_MS).unwrap_or(i64::MAX);
        if id.created_at().plus_ms(late).0 < answering.ctx.now.0 {
            return Err(Rejection::Unknown(Noun::Interaction).into());
        }
        Ok(answering)
    }

    /// Whoever may add to the answers of an application and change them.
    pub fn following(&self, application: ApplicationId, token: &str) -> Option<Answering> {
        self.opened(token, |claim| claim.application_id == application)
    }

    fn opened(
        self,
        token: &str,
        is_named: impl FnOnce(&InteractionClaim) -> bool,
    ) -> Option<Answering> {
        let now = self.app.env().now();
        let claim = self.app.interaction_tokens().read(token, now);
        let claim = claim.filter(is_named)?;
        let caller = Caller {
            user_id: claim.application_id.bot_user(),
            credential: Credential::Bot {
                application_id: claim.application_id,
                generation: 0,
                privileged_intents: Intents::empty(),
            },
        };
        Some(Answering {
            app: self.app.clone(),
            claim,
            ctx: Context::new(caller, now),
        })
    }
}

impl Answering {
    /// What is answered.
    pub const fn claim(&self) -> &InteractionClaim {
        &self.claim
    }

    /// Begins to receive the files of an answer.
    pub fn begin_upload(&self) -> Result<Upload, Refused> {
        self.app.uploads().begin_answer(&self.claim)
    }

    /// Gives the first answer.
    pub async fn reply(&self, answer: Answer) -> Result<Arc<Message>, Refused> {
        let draft = self.draft(answer, None).await?;
        self.message_of(Response::Reply(Box::new(draft))).await
    }

    /// Says that an answer will follow, and who will see it.
    pub async fn defer(&self, is_private: bool) -> Result<Arc<Message>, Refused> {
        let message = NewMessage::default();
        let mut draft = self
            .draft(
                Answer {
                    message,
                    is_private,
                },
                None,
            )
            .await?;
        draft.rich.flags |= MessageFlags::LOADING;
        self.message_of(Response::Reply(Box::new(draft))).await
    }

    /// Takes note of a press, and says nothing.
    pub async fn acknowledge(&self) -> Result<(), Refused> {
        self.respond(Response::Acknowledge).await?;
        Ok(())
    }

    /// Changes the message whose component was used.
    pub async fn update(&self, edit: Edit) -> Result<Option<Arc<Message>>, Refused> {
        let written = self.respond(Response::Update(Box::new(edit))).await?;
        Ok(match written {
            Written::Message(message) | Written::Repeated(message) => Some(message),
            Written::Done => None,
        })
    }

    /// Says more.
    pub async fn follow_up(&self, answer: Answer) -> Result<Arc<Message>, Refused> {
        // Without a first message it is not known what to follow, which the channel decides.
        let original = self.original().await.ok().map(|original| original.id);
        let draft = self.draft(answer, original).await?;
        self.message_of(Response::FollowUp(Box::new(draft))).await
    }

    /// The first answer, or the message whose component was used.
    pub async fn original(&self) -> Result<Arc<Message>, Refused> {
        self.find(AnswerRef::Original).await
    }

    /// One of the answers.
    pub async fn find(&self, which: AnswerRef) -> Result<Arc<Message>, Refused> {
        // An edit that changes nothing answers what is there.
        self.edit(which, Edit::default()).await
    }

    /// Changes an answer.
    pub async fn edit(&self, which: AnswerRef, edit: Edit) -> Result<Arc<Message>, Refused> {
        self.message_of(Response::Edit(which, Box::new(edit))).await
    }

    /// Deletes an answer, with its files.
    pub async fn delete(&self, which: AnswerRef) -> Result<(), Refused> {
        let message = self.find(which).await?;
        self.respond(Response::Delete(which)).await?;
        self.app.uploads().discard(message.attachments()).await;
        Ok(())
    }

    async fn draft(
        &self,
        answer: Answer,
        original_id: Option<MessageId>,
    ) -> Result<Draft, Refused> {
        let claim = &self.claim;
        let messages = self.app.messages();
        let draft = messages.draft(&self.ctx, claim.channel_id, answer.message);
        let mut draft = draft.await.map_err(gone)?;
        draft.rich.answers = Some(Box::new(Answers {
            interaction_id: claim.id,
            application_id: claim.application_id,
            user: self.app.user(claim.user_id).await?,
            occasion: claim.occasion.clone(),
            original_id,
        }));
        draft.rich.only_for = answer.is_private.then_some(claim.user_id);
        Ok(draft)
    }

    async fn message_of(&self, response: Response) -> Result<Arc<Message>, Refused> {
        match self.respond(response).await? {
            Written::Message(message) | Written::Repeated(message) => Ok(message),
            Written::Done => Err(Rejection::Unknown(Noun::Message).into()),
        }
    }

    async fn respond(&self, response: Response) -> Result<Written, Refused> {
        let command = ChannelCommand::Respond(Box::new(self.claim.clone()), response);
        let node = self.app.node();
        let written = node.write(self.claim.channel_id, self.ctx.user_id(), command);
        written.await.map_err(gone)
    }
}

/// An application whose bot is no longer where it was asked answers nothing any more.
fn gone(refused: Refused) -> Refused {
    match refused {
        Refused::Rejection(Rejection::Unknown(Noun::Channel)) => {
            Rejection::Unknown(Noun::Interaction).into()
        }
        other => other,
    }
}
