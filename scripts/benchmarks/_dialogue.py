"""Lines of film dialogue, for benchmarks of speech recognition."""

from __future__ import annotations

LINES = tuple(
    line
    for line in """
I told you the ferry leaves at seven, and not a minute later.
Nobody has seen the captain since the storm began.
Put the lamp by the window so that she can find her way home.
If the bridge is closed, we have to cross the river on foot.
You promised me that this would be our last winter in the mountains.
The doctor says he may walk again before the summer is over.
We should have listened to your mother when she warned us.
There is a letter on the kitchen table, and it has your name on it.
How many times do I have to ask you to lock the garden gate?
She closed the door quietly and never spoke of it again.
Take the second street on the left, just behind the old market.
He was the only one who remembered the names of all the children.
I have been waiting for this train for almost three hours.
Do you really believe that the money is still in that house?
My brother bought the boat from a fisherman in the next village.
They will be here before sunrise, so we had better start packing.
The museum closes early today because of the heavy rain.
When I was young, this whole valley was covered with forest.
Please tell the children to come inside before it gets dark.
The horse refused to move, no matter what we gave it to eat.
Every evening he plays the same song on his broken piano.
I am not afraid of the water, I am afraid of what is under it.
Your father was a brave man, but he trusted the wrong people.
Leave your coat in the hall and come upstairs with me.
The whole city was asleep when the first bells began to ring.
We found the missing pages under the floor of the library.
He paid for the tickets with a handful of foreign coins.
You cannot build a house on sand and expect it to stand.
It took them eleven days to reach the other side of the desert.
Open the window a little, the smoke is making my eyes hurt.
She learned to read by looking over her sister's shoulder.
The last time we met, you were about to leave the country.
There are things in this town that nobody wants to talk about.
I will never forget the look on his face when he opened the box.
The soldiers searched every room, but they did not look in the cellar.
Bring me a glass of cold water and something to write with.
Why would anyone leave a perfectly good bicycle in the river?
The judge listened to both of them and then shook her head.
Our neighbours moved away in the spring without saying goodbye.
If you follow the coast, you will see a white tower after an hour.
He dropped the keys in the snow and could not find them again.
The bread is still warm, so let it rest before you cut it.
I heard somebody walking on the roof in the middle of the night.
She wants to know whether the painting is real or a copy.
You should never sign a paper that you have not read.
The road to the castle is steep, but the view is worth it.
Grandmother kept all of his letters in a blue wooden chest.
Turn off the engine and listen, there is something out there.
The teacher asked a question, and suddenly the class was silent.
We are going to need more blankets if the heating does not work.
I would rather lose the race than win it by cheating.
A stranger came to the door and asked for a place to sleep.
He speaks five languages, but he cannot cook an egg.
The plane circled twice above the lake before it landed.
Nothing in this shop is for sale until the owner comes back.
Her hands were shaking so badly that she spilled the tea.
They say that the island disappears whenever the fog rolls in.
Keep your voice down, the walls in this hotel are very thin.
The police closed the road after the lorry lost its load.
I left my umbrella on the bus for the third time this month.
You look just like your uncle did when he was your age.
The story in the newspaper was wrong from beginning to end.
Somebody has moved the chairs since we were here yesterday.
There was a time when we could hear the sea from this room.
Wait for my signal, and then run as fast as you can.
The clock on the church tower has been broken for years.
He cut the rope with a knife and let the boat drift away.
I thought you said that the meeting was on Wednesday.
The garden looks beautiful now that the roses are in bloom.
Do not touch that wire unless you want to spend a week in hospital.
She sold her wedding ring to pay for the journey north.
It has been raining since Monday, and the fields are under water.
Our only hope is that the radio still works at the station.
The dog sat at the gate and waited for him every single day.
We can talk about the price after you have seen the car.
I keep dreaming about a long corridor with a green door.
Be careful with that box, there is glass inside.
The thieves escaped through a tunnel under the bank.
My grandfather planted these apple trees before the war.
You have a very good memory for a man who drinks so much.
The lights went out, and the whole theatre began to whisper.
He has never apologised to anyone in his entire life.
There is only one doctor within a hundred miles of here.
The girl in the yellow dress is the daughter of the mayor.
Give me one good reason why I should not call the police.
I was born on the day when the old factory burned down.
The wind is getting stronger, we must bring in the sails.
They offered him a better job, but he decided to stay.
What did you do with the photographs that I gave you?
The coffee in this station tastes like burnt rubber.
She counted the stairs in the dark and stopped at twenty.
All of the tickets were sold within a few minutes.
The baker gets up at three in the morning, even on Sundays.
Look behind the mirror, that is where he used to hide things.
We have enough food for a week, but hardly any water.
Tell the driver to wait for us at the corner of the square.
The young man at the counter could not stop laughing.
I have known her for twenty years, and she has never lied to me.
The path ends at the waterfall, so you will have to turn around.
Somewhere in this building there must be a telephone that works.
""".strip().splitlines()
)
"""A hundred lines of 8 to 16 words each."""
