"""The concern check, sentence by sentence. Every sentence here was made up for this test."""

from __future__ import annotations

import pytest

from channels.concern import Found, find_concerns, in_plain_words, load_knowledge
from channels.conversation import Concern

SUICIDE, SELF_HARM, METHOD = Concern.SUICIDE, Concern.SELF_HARM, Concern.METHOD_SEEKING
ATTEMPT, ABUSE, CHILD = Concern.ATTEMPT, Concern.ABUSE, Concern.CHILD_AT_RISK
DANGER, EATING, OTHER = Concern.DANGER_NOW, Concern.EATING_DISORDER, Concern.SOMEONE_ELSE

RAISED = [
    # said outright
    (SUICIDE, "I want to kill myself"),
    (SUICIDE, "I've been feeling suicidal since Tuesday"),
    (SUICIDE, "thinking about suicide all the time now"),
    (SUICIDE, "i am going to end my life"),
    (SUICIDE, "planning to take my own life this weekend"),
    (SUICIDE, "I wish I was dead"),
    (SUICIDE, "some days I really want to die"),
    (SUICIDE, "im so low i keep thinking about hanging myself"),
    (SUICIDE, "I might just jump in front of a train"),
    (SUICIDE, "tempted to take all my tablets tonight"),
    (SUICIDE, "i feel like topping myself"),
    (SUICIDE, "Last week I tried to kill myself and nobody knows"),
    (SUICIDE, "lost my job, lost the flat, going to end it all"),
    (SUICIDE, "suicidal"),
    (SUICIDE, "I've written my goodbye letters"),
    (SUICIDE, "got a plan to end it and I'm not scared any more"),
    (SUICIDE, "about to drive my car into a wall honestly"),
    (SUICIDE, "I think about drowning myself when I walk by the canal"),
    # text speak, slips and disguises
    (SUICIDE, "gonna kms"),
    (SUICIDE, "i wanna unalive myself"),
    (SUICIDE, "dnt want 2 b here"),
    (SUICIDE, "wanna dieeeee so bad"),
    (SUICIDE, "i wnt 2 kill my self"),
    (SUICIDE, "feelin sucidal agen"),
    (SUICIDE, "cant stop thinkin bout suiside"),
    (SUICIDE, "want to k*ll myself"),
    (SUICIDE, "su!cide is all i think about i want su1cide"),
    (SUICIDE, "I WANT TO DIE!!!!"),
    (SUICIDE, "i want to d i e s o o n. want to die"),
    (SUICIDE, "𝐈 𝐰𝐚𝐧𝐭 𝐭𝐨 𝐝𝐢𝐞"),
    # said without the words
    (SUICIDE, "I don't want to be here anymore"),
    (SUICIDE, "just don’t want to exist"),
    (SUICIDE, "whats the point of living"),
    (SUICIDE, "everyone would be better off without me"),
    (SUICIDE, "my kids would be better off if I was gone"),
    (SUICIDE, "no one would notice if i died"),
    (SUICIDE, "I hope I don't wake up tomorrow"),
    (SUICIDE, "want to go to sleep and never wake up"),
    (SUICIDE, "I'm tired of living"),
    (SUICIDE, "theres nothing left to live for"),
    (SUICIDE, "i cant go on like this"),
    (SUICIDE, "can't carry on any longer"),
    (SUICIDE, "I can't do this anymore."),
    (SUICIDE, "i just want it all to stop"),
    (SUICIDE, "wish i'd never been born"),
    (SUICIDE, "im a burden to everyone"),
    (SUICIDE, "giving up on life, thanks for everything"),
    (SUICIDE, "by the time you read this it won't matter"),
    (SUICIDE, "please tell my mum i love her"),
    (SUICIDE, "I've been giving away all my things this week"),
    (SUICIDE, "life isnt worth living since he left"),
    (SUICIDE, "i want to disappear for good"),
    (SUICIDE, "she makes me want to kill myself"),
    (SUICIDE, "anyone else want to die when the bills come"),
    (SUICIDE, "behind with rent and I don't see the point in going on"),
    # close to what is left alone
    (SUICIDE, "never thought about suicide until this month"),
    (SUICIDE, "I haven't wanted to die this much in years"),
    (SUICIDE, "the only reason im not killing myself is my dog"),
    (SUICIDE, "why wouldnt i kill myself"),
    (SUICIDE, "tired of living with my depression"),
    (SUICIDE, "as a student i feel like killing myself every day"),
    (SUICIDE, "i grew up with a violent dad and i want to die"),
    (SUICIDE, "ready to check out of this world"),
    (SUICIDE, "I want it to be over so bad"),
    (SUICIDE, "no way out of this life"),
    (SUICIDE, "cant take this any more im done"),
    (SUICIDE, "the suicidal thoughts are back"),
    (SUICIDE, "nothing is left for me. Suicide will sort it"),
    # just now, or about to
    (ATTEMPT, "ive taken 30 paracetamol"),
    (ATTEMPT, "i just took all my pills"),
    (ATTEMPT, "took an overdose an hour ago dont know what to do"),
    (ATTEMPT, "ive cut my wrists"),
    (ATTEMPT, "stood on the edge of the car park roof"),
    (ATTEMPT, "im on the bridge. i am going to jump"),
    (ATTEMPT, "the rope is round my neck"),
    (ATTEMPT, "the pills are in front of me"),
    (ATTEMPT, "i tried to hang myself last night"),
    (ATTEMPT, "swallowed a whole packet of tablets"),
    (ATTEMPT, "i think ive overdosed"),
    # ways
    (METHOD, "how many paracetamol does it take to die"),
    (METHOD, "whats the least painful way to kill myself"),
    (METHOD, "quickest way to die"),
    (METHOD, "how do i tie a noose"),
    (METHOD, "would 40 tablets kill me"),
    (METHOD, "what is a fatal dose of codeine"),
    (METHOD, "how long does it take to bleed out"),
    # hurting oneself
    (SELF_HARM, "i keep cutting myself"),
    (SELF_HARM, "started self harming again"),
    (SELF_HARM, "I've been self-harming since school"),
    (SELF_HARM, "i burn my arms when it gets too much"),
    (SELF_HARM, "had the urge to hurt myself all day"),
    (SELF_HARM, "relapsed with sh last night"),
    (SELF_HARM, "I punch the wall and bang my head on the wall"),
    (SELF_HARM, "cuttin myslf is the only fing that helps"),
    # hurt or controlled by someone
    (ABUSE, "my husband hits me"),
    (ABUSE, "he punched me again last night"),
    (ABUSE, "my girlfriend slaps me when she drinks"),
    (ABUSE, "my bf strangled me on sunday"),
    (ABUSE, "im in an abusive relationship and cant get out"),
    (ABUSE, "he won't let me leave the house"),
    (ABUSE, "she checks my phone and takes all my money"),
    (ABUSE, "scared of my partner"),
    (ABUSE, "I'm frightened to go home"),
    (ABUSE, "i was raped on friday"),
    (ABUSE, "he makes me have sex when i dont want to"),
    (ABUSE, "I have to make sure dinner is perfect before he gets home"),
    (ABUSE, "walking on eggshells every day with him"),
    (ABUSE, "my parents are trying to force me to marry someone. forced marriage, im scared"),
    (ABUSE, "hes got my passport, he took my passport off me"),
    (ABUSE, "my son gets violent with me, he is violent"),
    (ABUSE, "fleeing domestic violence with two kids, need somewhere to stay"),
    # danger now
    (ABUSE, "he used to hit me and last night he strangled me"),
    (ABUSE, "my ex follows me home from work"),
    (ABUSE, "he hit me when i wanted to see my friends"),
    (DANGER, "he said hes going to kill me"),
    (DANGER, "my ex is banging on my door"),
    (DANGER, "someone is following me home"),
    (DANGER, "he has a knife"),
    (DANGER, "I'm in danger"),
    (DANGER, "please call the police"),
    (DANGER, "hiding in the bathroom from him"),
    (DANGER, "im not safe right now"),
    (DANGER, "the flat is on fire"),
    (DANGER, "water is rising and we are stuck on the roof"),
    (DANGER, "my nan has collapsed and shes not breathing"),
    (DANGER, "i can smell gas in the kitchen"),
    (DANGER, "i think im having a heart attack"),
    (DANGER, "locked myself in the bathroom and hes kicking the door"),
    (DANGER, "trapped under the stairs with my kids"),
    # a child
    (CHILD, "my stepdad touches me at night"),
    (CHILD, "he hits the kids"),
    (CHILD, "my partner shakes the baby when she cries"),
    (CHILD, "im 13 and my mums boyfriend beats me"),
    (CHILD, "the little boy next door is being hit, i hear it every night"),
    (CHILD, "scared i might hurt my baby"),
    (CHILD, "my dad belts me if i get home late"),
    # food
    (EATING, "i make myself sick after every meal"),
    (EATING, "I think I'm anorexic"),
    (EATING, "starving myself again and i cant stop"),
    (EATING, "bingeing and purging most nights"),
    (EATING, "scared to eat, terrified of gaining weight"),
    (EATING, "been taking laxatives to lose weight"),
    # somebody else
    (OTHER, "my friend wants to kill herself"),
    (OTHER, "my son is suicidal what do i do"),
    (OTHER, "worried my brother is going to hurt himself"),
    (OTHER, "My mum said she doesn't want to be here anymore"),
    (OTHER, "my flatmate has taken an overdose"),
    (OTHER, "my daughter is cutting herself"),
    (OTHER, "my best mate keeps saying he wants to end it all"),
    (OTHER, "my sisters husband beats her"),
    (OTHER, "he keeps threatening to kill himself if i leave"),
]

CALM = [
    # figures of speech
    "this traffic is killing me",
    "kill me lol",
    "my feet are killing me after that shift",
    "I nearly died laughing at that film",
    "dying to see the new baby",
    "could murder a curry",
    "I'm starving, whats for tea",
    "that cake is to die for",
    "mum is going to kill me when she sees the carpet",
    "my boss will kill me if im late again",
    "working myself to death for minimum wage",
    "killing time till the bus comes",
    "shot myself in the foot with that one",
    "scared to death of spiders",
    "he got away with murder as a manager",
    "failed my theory test again kms lol",
    "so bored im dead 😂",
    "dead tired today",
    "my phone is about to die",
    "going to die of embarrassment",
    "You're killing me haha",
    "I would kill for a holiday",
    "he beat me at chess again",
    "she hit me up about the flat viewing",
    "it hit me hard when nan passed",
    "that really hurts me when people say it",
    "just kicking myself for missing the bus",
    "cut myself some slack for once",
    "cut myself shaving",
    "I cut myself on a tin lid, do i need a tetanus jab",
    "hurt myself at football, need a physio",
    "burnt myself on the oven",
    "my landlord kicked me out",
    "battery died, sorry",
    "trapped in a contract with my phone company",
    "the interview nearly gave me a heart attack",
    "end it with my boyfriend or not? want to end things with him",
    "I can't go on Saturday, is there another day",
    "dont want to live in this flat anymore its damp",
    "at work and don't want to be here today lol",
    "i want to disappear to a beach",
    # everyday asks of this service
    "cant pay my rent this month and im so down",
    "need a food bank near WZ2",
    "lonely since my wife died",
    "my dad died last year and I miss him",
    "is there a choir I can join",
    "behind on my gas and electric",
    "I feel low and can't sleep",
    "who can help me stop gambling",
    "how do i apply for pip",
    "really anxious about the move",
    "need help with my cv",
    "haven't eaten since yesterday no money til friday",
    "just been made redundant",
    "drinking too much lately and want to cut down",
    "what time does the advice shop open",
    "can i talk to someone",
    "me and my partner keep arguing",
    "im a carer for my mum, im exhausted",
    "my little girl is being assessed for autism",
    "how many paracetamol can i take for a headache",
    "took 2 paracetamol, still got a headache",
    "I took my tablets this morning",
    "the dog ate chocolate, what dose is lethal for dogs",
    "I'm on the bridge road estate, is there a warm space",
    "im at the bus station by the platform",
    "how do I get rid of mice, poison or traps",
    "my tablets are in the kitchen",
    # the same words about dull days, doctors, contracts and the weather
    "he follows me into the garden and back, retirement does not suit him",
    "is there no way out of this gym contract",
    "my tooth is agony and I can't stand it any more, who sees people without a dentist",
    "I want it to be over, this house move",
    "can't see a future with him so I'm looking for a flat",
    "the allotment has taken over my life",
    "tired of living with my parents, how do I get a flat of my own",
    "lost the will to live in the queue",
    "I thought I was having a heart attack but it was panic",
    "trapped in this town without a bus",
    "please tell me who can help with my will, writing my will at 80",
    "suicide squeeze in the ninth, what a game",
    # denied, or long over
    "I'd never hurt myself, I only want somebody to talk to",
    "I haven't wanted to die since the new tablets, is there a walking group",
    "he used to hit me, he is gone and I run a bakery",
    "when my brother was suicidal the nurse was wonderful",
    "it took me nine years to say that he raped me, and I run a cafe",
    # songs, films, news, other people's business
    "that song about suicide always gets me",
    "watched suicide squad last night",
    "reading a book called death of a salesman",
    "suicide prevention training next week, are there places",
    "volunteering for a suicide helpline, how do i start",
    "two killed in crash on the ring road",
    "man charged with murder in Leeds",
    "tax rises would be political suicide",
    "do you want to die? asked the villain in the film",
    "people who want to die should be listened to, thats what the talk was about",
    "my uncle killed himself ten years ago",
    # kind words from a supporter
    "please don't kill yourself, people love you",
    "you are not a burden to anyone, keep going",
    "stay strong, it does get better",
    # denials
    "im not suicidal, just fed up",
    "I don't want to kill myself, I want help with the debt",
    "never self harmed, never would",
    "I used to self harm, years clean now",
    "no thoughts of suicide, only worried about money",
    # once a child, now asking for talking therapy
    "my dad hit me when i was a child, id like counselling",
    "domestic violence awareness day at the library, what time",
    "Hi",
    "ok thanks",
    "2",
    "👍",
    "???",
    "",
    "السلام عليكم",
]


@pytest.mark.parametrize(("concern", "text"), RAISED, ids=[f"{concern}: {text[:60]}" for concern, text in RAISED])
def test_raises(concern: Concern, text: str) -> None:
    assert concern in {found.concern for found in find_concerns(text)}


@pytest.mark.parametrize("text", CALM, ids=[text[:60] or "empty" for text in CALM])
def test_stays_calm(text: str) -> None:
    assert find_concerns(text) == ()


def test_the_tables_are_large_and_balanced() -> None:
    assert len(RAISED) + len(CALM) >= 150
    assert len(CALM) >= 75


def test_every_concern_has_examples() -> None:
    assert {concern for concern, _ in RAISED} == set(Concern)


def test_several_concerns_in_one_message_are_all_found() -> None:
    found = {one.concern for one in find_concerns("my husband hits me and i want to die. he hits the kids too")}
    assert {ABUSE, SUICIDE, CHILD} <= found


def test_a_worry_about_another_person_is_not_taken_for_the_writers_own() -> None:
    assert {one.concern for one in find_concerns("my friend wants to kill herself")} == {OTHER}


@pytest.mark.parametrize(
    ("text", "concern"),
    [
        pytest.param("Poster for the staff room: thinking of suicide? Talk to us.", None, id="a poster"),
        pytest.param("Poster for the staff room. I want to kill myself.", SUICIDE, id="the writer, beside a poster"),
        pytest.param("In chapter two the captain thinks about ending his life", None, id="a story"),
        pytest.param("reading a novel and all i can think is i want to die", SUICIDE, id="the writer, beside a story"),
        pytest.param("I wanted to be dead when I was 15. I run a bakery.", None, id="over"),
        pytest.param("I wanted to be dead when I was 15 and I still do", SUICIDE, id="over, and not over"),
        pytest.param("Six years ago I tried to end my life. Hello from the other side.", None, id="over long ago"),
        pytest.param("six years ago i tried to end my life. tonight i want to die", SUICIDE, id="over, and back"),
        pytest.param("You matter. Thinking about dying is more common than people say.", None, id="comfort"),
        pytest.param("im going to kill myself, dont tell me you matter", SUICIDE, id="comfort, thrown back"),
    ],
)
def test_what_is_told_or_over_counts_only_in_the_writers_own_words_about_now(
    text: str, concern: Concern | None
) -> None:
    assert {one.concern for one in find_concerns(text)} == ({concern} if concern else set())


def test_a_denial_does_not_hide_what_follows_it() -> None:
    assert SUICIDE in {one.concern for one in find_concerns("im not suicidal but i dont want to be here anymore")}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I don't want to be here anymore", "talks about not wanting to be here"),
        ("how many paracetamol does it take to die", "asks about ways to die"),
        ("my husband hits me", "may be hurt by someone"),
        ("ive taken 30 paracetamol", "may have harmed themselves just now"),
    ],
    ids=["passive", "method", "abuse", "attempt"],
)
def test_says_why_in_words_that_do_not_quote(text: str, reason: str) -> None:
    assert reason in {one.reason for one in find_concerns(text)}


def test_reasons_are_words_not_scores() -> None:
    for rule in load_knowledge().rules:
        assert not any(letter.isdigit() for letter in rule.reason)
        assert "risk level" not in rule.reason


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("I'm NOT ok!!", " im not ok . "),
        ("dnt wnt 2 live", " dont want to live "),
        ("kiiiill", " kill "),
        ("k1ll d!e", " kill die "),
        ("some one, any more", " someone anymore "),
    ],
    ids=["case and marks", "text speak", "held letters", "digits for letters", "words pulled apart"],
)
def test_plain_words(text: str, plain: str) -> None:
    assert in_plain_words(text) == plain


def test_a_very_long_message_is_read_to_its_end() -> None:
    text = "so the landlord said this and that about the rent and then " * 340 + "and i want to die"
    assert Found(SUICIDE, "talks about wanting to die") in find_concerns(text)
