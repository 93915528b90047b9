"""Telegram's updates into our nouns. Pure.

Oddities worth knowing:
- An update is sent again until it gets a 2xx, and holds up the ones behind it: what we do not use is answered 200.
- An edited message is a new one to us: what somebody corrects is what they mean. A live location is edited every few
  seconds; the first one says enough.
- A link (t.me/our_bot?start=poster-library) brings its last part in the text: "/start poster-library".
- In a group a bot hears what is meant for it, and more if an administrator lets it: only being added, being named, a
  command and an answer to its own message count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from telegram import CallbackQuery, ChatMemberRestricted, ChatMemberUpdated, Message, MessageEntity, Update
from telegram.constants import ChatMemberStatus, ChatType

from channels.conversation import Channel, Inbound, Media
from channels.errors import Malformed
from channels.telegram.menu import COMMANDS
from channels.telegram.nouns import Arrival, GroupCall, Press, Reach

CAME_FROM: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""What Telegram lets a link carry. Anything else was typed."""
CODE_LINK: Final = re.compile(r"code-([A-Za-z0-9]{4,12})")
"""A link may carry a code with which somebody goes on with a conversation: it is read as if they had typed the code."""

NAMED: Final = (MessageEntity.MENTION, MessageEntity.TEXT_MENTION, MessageEntity.BOT_COMMAND)
OUTSIDE: Final = frozenset({ChatMemberStatus.LEFT, ChatMemberStatus.BANNED})

ATTACHMENTS: Final[Mapping[str, str]] = {
    "voice": "voice",
    "audio": "voice",
    "video": "video",
    "video_note": "video",
    "animation": "video",
    "sticker": "sticker",
    "document": "file",
}


def read_update(update_json: object) -> Update:
    """Raises Malformed, which never says what was in it."""
    if not isinstance(update_json, dict) or not isinstance(update_json.get("update_id"), int):
        raise Malformed("update_id is missing")
    try:
        return Update.de_json(update_json, None)
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        problem = type(error).__name__
    raise Malformed(f"not an update as the Bot API describes it ({problem})")


def arrival_of(update: Update, bot_id: int) -> Arrival:
    """`bot_id` tells whether a group speaks to us."""
    provider_id = f"update-{update.update_id}"
    if update.callback_query is not None:
        query = update.callback_query
        return Arrival(inbound=_from_press(query, provider_id), press=_press(query))
    if update.my_chat_member is not None:
        return _from_membership(update.my_chat_member)
    if update.edited_message is not None and update.edited_message.location is not None:
        return Arrival()
    message = update.message or update.edited_message
    if message is not None and message.chat.type == ChatType.PRIVATE:
        return Arrival(inbound=_from_message(message, provider_id))
    said = update.message or update.channel_post
    return Arrival(call=_group_call(said, bot_id) if said else None)


# -- a person writes


def _press(query: CallbackQuery) -> Press:
    if query.message is None:
        return Press(callback_id=query.id)
    return Press(callback_id=query.id, chat_id=str(query.message.chat.id), message_id=query.message.message_id)


def _from_press(query: CallbackQuery, provider_id: str) -> Inbound | None:
    if query.message is not None and query.message.chat.type != ChatType.PRIVATE:
        return None
    return Inbound(
        channel=Channel.TELEGRAM,
        address=str(query.message.chat.id if query.message else query.from_user.id),
        provider_id=provider_id,
        text=_pressed_title(query),
        payload=query.data or None,
        language=query.from_user.language_code,
    )


def _from_message(message: Message, provider_id: str) -> Inbound | None:
    text, came_from = _words(message.text or message.caption or "")
    media = _media(message)
    if not text and not media:
        return None
    return Inbound(
        channel=Channel.TELEGRAM,
        address=str(message.chat.id),
        provider_id=provider_id,
        text=text,
        media=media,
        language=message.from_user.language_code if message.from_user else None,
        came_from=came_from,
    )


def _words(text: str) -> tuple[str, str | None]:
    """What was written, with a command put into plain words, and where its link was: "/forget@our_bot" is "forget me".

    "/start poster-library" is "hello", and they came by the poster.
    """
    if not text.startswith("/"):
        return text, None
    command, *rest = text.split(maxsplit=1)
    name = command.removeprefix("/").split("@", 1)[0].lower()
    if name not in COMMANDS:
        return text, None
    carried = rest[0].strip() if rest and name == "start" else ""
    if code := CODE_LINK.fullmatch(carried):
        return code[1], None
    return COMMANDS[name], carried if CAME_FROM.fullmatch(carried) else None


def _pressed_title(query: CallbackQuery) -> str:
    """The words on the button, so that the story on the desk reads as the person saw it."""
    markup: Any = getattr(query.message, "reply_markup", None)
    for row in markup.inline_keyboard if markup else ():
        for button in row:
            if button.callback_data == query.data:
                return str(button.text)
    return ""


def _media(message: Message) -> tuple[Media, ...]:
    """One attachment at most. The number in a contact is somebody else's and a place is kept to about 100 metres."""
    if message.photo:
        largest = message.photo[-1]
        return (Media(kind="picture", reference=largest.file_id, size=largest.file_size),)
    if message.location:
        place = message.location
        return (Media(kind="location", reference=f"{place.latitude:.3f},{place.longitude:.3f}"),)
    if message.contact:
        return (Media(kind="contact"),)
    for name, kind in ATTACHMENTS.items():
        attachment: Any = getattr(message, name, None)
        if attachment:
            content_type = getattr(attachment, "mime_type", None) or ""
            return (
                Media(kind=kind, reference=attachment.file_id, content_type=content_type, size=attachment.file_size),
            )
    return (Media(kind="file"),) if message.effective_attachment else ()


# -- somebody lets the bot in or shuts it out


def _from_membership(change: ChatMemberUpdated) -> Arrival:
    inside = _is_inside(change.new_chat_member)
    if change.chat.type == ChatType.PRIVATE:
        return Arrival(reach=Reach(address=str(change.chat.id), blocked=not inside))
    if inside and not _is_inside(change.old_chat_member):
        return Arrival(call=GroupCall(chat_id=str(change.chat.id), sure=True))
    return Arrival()


def _is_inside(member: Any) -> bool:
    if isinstance(member, ChatMemberRestricted):
        return member.is_member
    return member.status not in OUTSIDE


# -- a group or channel speaks


def _group_call(message: Message, bot_id: int) -> GroupCall | None:
    """None for talk that is not for us, and for what another bot says: two polite bots would never stop.

    An administrator who hides behind the group writes as a bot too, with the group as the sender.
    """
    if message.from_user is not None and message.from_user.is_bot and message.sender_chat is None:
        return None
    names, sure = set[str](), _answers_bot(message, bot_id)
    for entity, words in _named(message):
        if entity.type == MessageEntity.TEXT_MENTION:
            sure = sure or (entity.user is not None and entity.user.id == bot_id)
            continue
        command, _, name = words.casefold().partition("@")
        if name:
            names.add(name)
        elif command.removeprefix("/") in COMMANDS:
            sure = True
    return GroupCall(chat_id=str(message.chat.id), names=frozenset(names), sure=sure) if names or sure else None


def _answers_bot(message: Message, bot_id: int) -> bool:
    answered = message.reply_to_message
    return answered is not None and answered.from_user is not None and answered.from_user.id == bot_id


def _named(message: Message) -> Iterator[tuple[MessageEntity, str]]:
    """Offsets count UTF-16 units. Text that cannot be counted so names nobody."""
    try:
        found = {**message.parse_entities(list(NAMED)), **message.parse_caption_entities(list(NAMED))}
    except (UnicodeError, RuntimeError):
        return
    yield from found.items()
