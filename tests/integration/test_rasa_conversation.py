"""What a real Rasa answers: the contract of the gateway channel, and which action each way of talking runs."""

from __future__ import annotations

import secrets
from typing import Any

import httpx
import pytest

from tests.rasa_server import ACTIONS_TOKEN, FakeActions, RasaProcess

pytest_plugins = ["tests.rasa_fixtures"]
pytestmark = pytest.mark.rasa


@pytest.fixture
def sender() -> str:
    return f"e-{secrets.token_hex(6)}"


def action_run(response: httpx.Response) -> str:
    """The fake action server answers with the name of the action."""
    assert response.status_code == httpx.codes.OK, response.text
    [message] = response.json()["messages"]
    return str(message["custom"]["reply"]["text"])


def test_a_text_of_the_domain_that_an_action_asks_for_is_said_with_its_choices(
    rasa: RasaProcess, fake_actions: FakeActions, sender: str
) -> None:
    fake_actions.answers["action_say_hello"] = {"events": [], "responses": [{"response": "utter_greet"}]}
    body = rasa.say("hello there", sender).json()
    [message] = body["messages"]
    assert message["text"].startswith("Hello")
    assert {"title": "Talk to a person", "payload": "person"} in message["buttons"]
    assert body["intent"]["name"] == "greet"
    assert 0.5 < body["intent"]["confidence"] <= 1.0
    assert body["problems"] == []


def test_a_text_of_the_domain_is_said_in_the_language_of_the_conversation(
    rasa: RasaProcess, fake_actions: FakeActions, sender: str
) -> None:
    fake_actions.answers["action_say_hello"] = {"events": [], "responses": [{"response": "utter_greet"}]}
    [message] = rasa.say("hello there", sender, metadata={"channel": "sms", "language": "cy"}).json()["messages"]
    assert message["text"].startswith("Helo")
    assert {"title": "Siarad gyda pherson", "payload": "person"} in message["buttons"]


def test_a_need_calls_the_action_server_with_the_words_and_the_token(
    rasa: RasaProcess, fake_actions: FakeActions, sender: str
) -> None:
    said = "cant pay my rent this month and im so down"
    metadata = {"channel": "sms", "place": "Millgate", "turns": 2, "concerns": []}
    assert action_run(rasa.say(said, sender, metadata=metadata)) == "action_find_support"
    [call] = fake_actions.calls
    latest = call["tracker"]["latest_message"]
    assert (latest["text"], latest["metadata"], latest["message_id"]) == (said, metadata, "m1")
    assert call["sender_id"] == sender
    assert fake_actions.tokens == [f"Bearer {ACTIONS_TOKEN}"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("😢", id="an emoji alone"),
        pytest.param("🙏🙏", id="emoji that could be thanks"),
        pytest.param("???", id="marks"),
        pytest.param("مرحبا، أحتاج إلى مساعدة", id="Arabic"),
        pytest.param("Мне нужна помощь", id="Russian"),
        pytest.param("asdf qwer zxcv", id="no words of any language"),
        pytest.param("what colour is the sky on mars then", id="nothing to do with us"),
    ],
)
def test_what_is_not_understood_is_searched_with(
    rasa: RasaProcess, fake_actions: FakeActions, sender: str, text: str
) -> None:
    response = rasa.say(text, sender)
    assert action_run(response) == "action_find_support"
    assert response.json()["intent"]["name"] == "nlu_fallback"


@pytest.mark.parametrize(
    ("typed", "heard"),
    [
        pytest.param('/forget{"value": "yes"}', 'forget{"value": "yes"}', id="an intent with an entity"),
        pytest.param("/restart", "restart", id="Rasa's own command"),
        pytest.param("//person", "person", id="two slashes"),
        pytest.param("/", "?", id="a slash alone"),
    ],
)
def test_what_a_person_types_is_text_even_with_a_slash(
    rasa: RasaProcess, fake_actions: FakeActions, sender: str, typed: str, heard: str
) -> None:
    rasa.say(typed, sender)
    [call] = fake_actions.calls
    assert call["tracker"]["latest_message"]["text"] == heard
    assert call["tracker"]["latest_message"]["entities"] == []


@pytest.mark.parametrize(
    ("payload", "action", "value"),
    [
        pytest.param("details:svc-rent-help", "action_show_details", "svc-rent-help", id="details of a service"),
        pytest.param("more", "action_show_more", None, id="more"),
        pytest.param("person", "action_hand_over", None, id="a person"),
        pytest.param("place", "action_give_place", None, id="a place"),
        pytest.param("next", "action_go_on", None, id="the next thing"),
        pytest.param("next:low_mood", "action_go_on", "low_mood", id="one of the needs"),
        pytest.param("new_topic", "action_start_again", None, id="another topic"),
        pytest.param("forget:yes", "action_forget_me", "yes", id="forget me, yes"),
        pytest.param("forget:no", "action_forget_me", "no", id="forget me, no"),
    ],
)
def test_a_pressed_button_runs_its_action_with_its_value(
    rasa: RasaProcess, fake_actions: FakeActions, sender: str, payload: str, action: str, value: str | None
) -> None:
    assert action_run(rasa.press(payload, sender)) == action
    [call] = fake_actions.calls
    latest = call["tracker"]["latest_message"]
    assert latest["intent"] == {"name": payload.partition(":")[0], "confidence": 1.0}
    values = [entity["value"] for entity in latest["entities"] if entity["entity"] == "value"]
    assert values == ([] if value is None else [value])
    assert call["tracker"]["slots"]["value"] == value


@pytest.mark.parametrize(
    ("typed", "action"),
    [
        pytest.param("can i talk to someone", "action_hand_over", id="a person"),
        pytest.param("this is useless", "action_hand_over", id="a complaint"),
        pytest.param("show me more", "action_show_more", id="more"),
        pytest.param("the second one", "action_show_details", id="one of the list"),
        pytest.param("what time do they open", "action_show_details", id="about one of them"),
        pytest.param("im in millgate", "action_give_place", id="a place"),
        pytest.param("WZ2 4AB", "action_give_place", id="a postcode"),
        pytest.param("FORGET ME", "action_forget_me", id="forget me"),
        pytest.param("MY INFO", "action_my_info", id="my info"),
        pytest.param("can we start again", "action_start_again", id="start again"),
        pytest.param("something else", "action_start_again", id="another topic"),
        pytest.param("i want to die", "action_find_support", id="a crisis"),
        pytest.param("my husband hits me", "action_find_support", id="violence"),
        pytest.param("im so lonly since my wife died", "action_find_support", id="grief with a typing error"),
    ],
)
def test_saying_it_runs_the_action(
    rasa: RasaProcess, fake_actions: FakeActions, sender: str, typed: str, action: str
) -> None:
    assert action_run(rasa.say(typed, sender)) == action


@pytest.mark.parametrize(
    ("typed", "action"),
    [
        ("yeah", "action_go_on"),
        ("ok", "action_go_on"),
        ("the other thing i said", "action_go_on"),
        ("no thanks", "action_let_be"),
        ("ta", "action_take_thanks"),
        ("hiya", "action_say_hello"),
        ("idk", "action_say_again"),
        ("wot do u mean", "action_say_again"),
        ("no i meant my mum", "action_put_right"),
        ("not what i meant", "action_put_right"),
        ("anything closer", "action_refine_list"),
        ("free ones only", "action_refine_list"),
        ("somethin online innit", "action_refine_list"),
    ],
)
def test_what_depends_on_what_was_said_before_is_for_an_action_to_answer(
    rasa: RasaProcess, fake_actions: FakeActions, sender: str, typed: str, action: str
) -> None:
    assert action_run(rasa.say(typed, sender)) == action


@pytest.mark.parametrize("typed", ["bye", "help", "is this a bot", "is this private"])
def test_small_talk_is_answered_warmly_with_something_to_choose(
    rasa: RasaProcess, fake_actions: FakeActions, sender: str, typed: str
) -> None:
    [message] = rasa.say(typed, sender).json()["messages"]
    assert "person" in [button["payload"] for button in message["buttons"]]
    assert fake_actions.calls == []


@pytest.mark.parametrize(
    ("answer", "intent"),
    [pytest.param("yes", "affirm", id="yes"), pytest.param("no", "deny", id="no")],
)
def test_a_bare_answer_to_the_forget_question_goes_back_to_it(
    rasa: RasaProcess, fake_actions: FakeActions, sender: str, answer: str, intent: str
) -> None:
    rasa.say("forget me", sender)
    response = rasa.say(answer, sender)
    assert action_run(response) == "action_forget_me"
    assert response.json()["intent"]["name"] == intent


def test_a_yes_later_answers_no_old_question(rasa: RasaProcess, fake_actions: FakeActions, sender: str) -> None:
    for text in ("forget me", "i need a food bank"):
        rasa.say(text, sender)
    assert action_run(rasa.say("yes", sender)) == "action_go_on"


@pytest.mark.parametrize("token", ["x", "wrong", "rasa-token-for-test", "rasa-token-for-tests-"])
def test_a_wrong_token_is_refused(rasa: RasaProcess, fake_actions: FakeActions, token: str) -> None:
    response = rasa.post({"sender": "e1", "text": "i need a food bank"}, token)
    assert response.status_code == httpx.codes.UNAUTHORIZED
    assert fake_actions.calls == []


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic rasa-token-for-tests"}], ids=["none", "basic"])
def test_only_a_bearer_token_counts(rasa: RasaProcess, headers: dict[str, str]) -> None:
    response = httpx.post(f"{rasa.url}/message", json={"sender": "e1", "text": "hi"}, headers=headers, trust_env=False)
    assert response.status_code == httpx.codes.UNAUTHORIZED


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"sender": "e1", "text": None}, id="no text"),
        pytest.param({"sender": "e1", "text": " \n"}, id="spaces"),
        pytest.param({"sender": "e1", "text": {"a": 1}}, id="text that is no text"),
        pytest.param({"sender": "+447700900123", "text": "hi"}, id="a phone number as sender"),
        pytest.param({"text": "hi"}, id="no sender"),
        pytest.param({"sender": "e1", "payload": "restart"}, id="Rasa's own intent as a payload"),
        pytest.param({"sender": "e1", "payload": "no_such_intent:x"}, id="an unknown payload"),
        pytest.param("hello", id="no object"),
    ],
)
def test_what_cannot_be_a_turn_is_refused(rasa: RasaProcess, fake_actions: FakeActions, body: Any) -> None:
    response = rasa.post(body)
    assert response.status_code == httpx.codes.UNPROCESSABLE_ENTITY
    assert "900123" not in response.text
    assert fake_actions.calls == []


def test_a_body_that_is_no_json_is_refused(rasa: RasaProcess) -> None:
    response = httpx.post(
        f"{rasa.url}/message",
        content=b"{",
        headers={"Authorization": "Bearer rasa-token-for-tests"},
        trust_env=False,
    )
    assert response.status_code == httpx.codes.UNPROCESSABLE_ENTITY


def test_20_000_characters_are_answered_of_which_the_first_2_000_are_read(
    rasa: RasaProcess, fake_actions: FakeActions, sender: str
) -> None:
    text = "first of all " + "and then it went on and on " * 740 + "so i need a food bank"
    assert len(text) > 20_000
    response = rasa.say(text, sender)
    assert response.status_code == httpx.codes.OK
    heard = fake_actions.calls[-1]["tracker"]["latest_message"]["text"]
    assert len(heard) <= 2000
    assert heard.startswith("first of all")
    assert heard.endswith("food bank")


def test_a_long_conversation_stays_small_and_keeps_its_slots(
    rasa: RasaProcess, fake_actions: FakeActions, sender: str
) -> None:
    """Counted, not timed: what Rasa reads again and sends on each turn has a ceiling."""
    place = {"events": [{"event": "slot", "name": "place", "value": "Millgate"}], "responses": [{"text": "noted"}]}
    fake_actions.answers["action_give_place"] = place
    rasa.say("im in millgate", sender)
    sizes = []
    for _ in range(300):
        assert action_run(rasa.press("more", sender)) == "action_show_more"
        sizes.append(len(fake_actions.calls[-1]["tracker"]["events"]))
    assert max(sizes) <= 70
    assert fake_actions.calls[-1]["tracker"]["slots"]["place"] == "Millgate"


def test_earlier_words_are_not_kept_in_rasa(rasa: RasaProcess, fake_actions: FakeActions, sender: str) -> None:
    rasa.say("my secret is that i owe rent", sender, metadata={"concerns": ["abuse"]})
    rasa.press("more", sender)
    tracker = fake_actions.calls[-1]["tracker"]
    assert "secret" not in str(tracker)
    assert "abuse" not in str(tracker)


@pytest.mark.parametrize(
    "path",
    ["/status", "/model", "/conversations/e1/tracker", "/webhooks/rest/webhook", "/webhooks/rest/"],
)
def test_rasas_own_api_is_not_there(rasa: RasaProcess, path: str) -> None:
    base = rasa.url.removesuffix("/webhooks/gateway")
    for method in ("GET", "POST", "PUT"):
        assert httpx.request(method, base + path, trust_env=False).status_code in {404, 405}


def test_ready_names_the_model(rasa: RasaProcess) -> None:
    response = httpx.get(f"{rasa.url}/ready", trust_env=False)
    assert response.status_code == httpx.codes.OK
    assert len(response.json()["model"]) == 32
