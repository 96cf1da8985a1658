"""What agents say where it is measured how phrases end, and in which voices: those of fitting, and others."""

FITTED_VOICES = ("en-gb", "en-us+f2", "en-us+m3", "en-gb-x-rp", "en-us+klatt2", "en-us+m1")
HELD_OUT_VOICES = ("en-gb-scotland", "en-us+f4", "en-us+m7", "en-gb-x-gbclan+f1", "en-us+klatt4", "en-us+m5")

FITTED_LINES = (
    "Certainly, let me have a look at what is still free for this evening.",
    "The kitchen closes at ten, and the bar stays open until midnight.",
    "Your order was shipped on Monday and should arrive by the end of the week.",
    "I can offer you a full refund or a replacement, whichever you prefer.",
    "Would you like me to send the confirmation to your email address?",
    "The train to Leeds leaves from platform nine in about twenty minutes.",
    "Your balance is four hundred and twelve pounds and sixty pence.",
    "Please hold the line while I check that for you.",
    "That is a very good question, and the answer depends on where you live.",
    "To reset your password, click on the link that we have just sent you.",
    "The weather tomorrow will be mostly cloudy with a little rain in the north.",
    "I am sorry to hear that, let me see what I can do.",
    "You can park behind the building, next to the old cinema.",
    "The doctor has an opening on Thursday morning at half past eight.",
    "We are open every day except Sunday, from nine until six.",
    "First mix the flour with the butter, then add the eggs and the sugar.",
    "The museum was built in eighteen ninety and has three floors.",
    "Is there anything else I can help you with today?",
    "Photosynthesis turns light into energy that the plant can use.",
    "He moved to Boston in the spring and started a small company there.",
)

HELD_OUT_LINES = (
    "There is a table by the window at half past eight, but it is quite close to the kitchen door.",
    "Your appointment has been moved to next Wednesday at a quarter to three.",
    "The cheapest flight leaves at six in the morning and costs ninety euros.",
    "Could you please tell me your date of birth and your postcode?",
    "I have cancelled the subscription, and you will not be charged again.",
    "The nearest pharmacy is two streets away, just opposite the church.",
    "Most cats sleep for more than twelve hours a day.",
    "If the light on the front is red, unplug the router and wait for a minute.",
    "Our technician will be with you between ten and twelve o'clock.",
    "The book tells the story of a young girl who grows up on an island.",
    "You have three new messages, and the first one is from your sister.",
    "We do have that jacket in blue, but only in a large size.",
    "Turn left at the second crossing and follow the road up the hill.",
    "It takes about an hour to get there by bus, and a bit less by car.",
    "The invoice was paid last month, so there is nothing left to do.",
    "What time would suit you best?",
    "The capital of Australia is Canberra, not Sydney as many people think.",
    "Let me transfer you to a colleague who knows more about this.",
    "You will need your passport, a recent photo and proof of your address.",
    "All right, I have added two tickets to your basket.",
)
