"""Names of the demo's people: given names of every kind, families that are trees and birds.

Nobody is called so, and no family name says where somebody comes from or whom they stand with.
"""

from collections.abc import Iterator
from itertools import count
from random import Random

from cli.demo.facts import Name

GIVEN = (
    Name("Aarti", "आरती"),
    Name("Abdul", "अब्दुल"),
    Name("Ajay", "अजय"),
    Name("Amrita", "अमृता"),
    Name("Anil", "अनिल"),
    Name("Anjali", "अंजलि"),
    Name("Asha", "आशा"),
    Name("Bhavna", "भावना"),
    Name("Chetan", "चेतन"),
    Name("Daulat", "दौलत"),
    Name("Deepa", "दीपा"),
    Name("Dinesh", "दिनेश"),
    Name("Ekta", "एकता"),
    Name("Farida", "फ़रीदा"),
    Name("Feroz", "फ़िरोज़"),
    Name("Ganesh", "गणेश"),
    Name("Gita", "गीता"),
    Name("Gurpreet", "गुरप्रीत"),
    Name("Harish", "हरीश"),
    Name("Hema", "हेमा"),
    Name("Imran", "इमरान"),
    Name("Ila", "इला"),
    Name("Ishwar", "ईश्वर"),
    Name("Jaspal", "जसपाल"),
    Name("Jaya", "जया"),
    Name("Joseph", "जोसेफ़"),
    Name("Kamla", "कमला"),
    Name("Kavita", "कविता"),
    Name("Kishan", "किशन"),
    Name("Lalita", "ललिता"),
    Name("Lokesh", "लोकेश"),
    Name("Mahesh", "महेश"),
    Name("Manju", "मंजू"),
    Name("Maria", "मारिया"),
    Name("Meera", "मीरा"),
    Name("Mohan", "मोहन"),
    Name("Mukesh", "मुकेश"),
    Name("Naresh", "नरेश"),
    Name("Nasreen", "नसरीन"),
    Name("Neelam", "नीलम"),
    Name("Nirmala", "निर्मला"),
    Name("Omveer", "ओमवीर"),
    Name("Padma", "पद्मा"),
    Name("Pankaj", "पंकज"),
    Name("Parveen", "परवीन"),
    Name("Pooja", "पूजा"),
    Name("Prakash", "प्रकाश"),
    Name("Pushpa", "पुष्पा"),
    Name("Radha", "राधा"),
    Name("Rajesh", "राजेश"),
    Name("Rashid", "राशिद"),
    Name("Ravi", "रवि"),
    Name("Rekha", "रेखा"),
    Name("Sajida", "साजिदा"),
    Name("Sanjay", "संजय"),
    Name("Sarita", "सरिता"),
    Name("Shanti", "शांति"),
    Name("Shyam", "श्याम"),
    Name("Sita", "सीता"),
    Name("Suman", "सुमन"),
    Name("Sunita", "सुनीता"),
    Name("Suresh", "सुरेश"),
    Name("Tara", "तारा"),
    Name("Thomas", "थॉमस"),
    Name("Uma", "उमा"),
    Name("Usha", "उषा"),
    Name("Vidya", "विद्या"),
    Name("Vijay", "विजय"),
    Name("Vimla", "विमला"),
    Name("Yakub", "याकूब"),
    Name("Yogesh", "योगेश"),
    Name("Zarina", "ज़रीना"),
)

FAMILIES = (
    Name("Amaltas", "अमलतास"),
    Name("Amrood", "अमरूद"),
    Name("Anar", "अनार"),
    Name("Babool", "बबूल"),
    Name("Bakul", "बकुल"),
    Name("Bargad", "बरगद"),
    Name("Bulbul", "बुलबुल"),
    Name("Chakor", "चकोर"),
    Name("Chameli", "चमेली"),
    Name("Champa", "चंपा"),
    Name("Deodar", "देवदार"),
    Name("Falsa", "फालसा"),
    Name("Gauraiya", "गौरैया"),
    Name("Gular", "गूलर"),
    Name("Gulmohar", "गुलमोहर"),
    Name("Harsingar", "हरसिंगार"),
    Name("Imli", "इमली"),
    Name("Jamun", "जामुन"),
    Name("Juhi", "जूही"),
    Name("Kachnar", "कचनार"),
    Name("Kadamb", "कदंब"),
    Name("Kaner", "कनेर"),
    Name("Karonda", "करौंदा"),
    Name("Kathal", "कटहल"),
    Name("Ketki", "केतकी"),
    Name("Khajoor", "खजूर"),
    Name("Khejri", "खेजड़ी"),
    Name("Kikar", "कीकर"),
    Name("Koel", "कोयल"),
    Name("Mahua", "महुआ"),
    Name("Maina", "मैना"),
    Name("Mogra", "मोगरा"),
    Name("Neelkanth", "नीलकंठ"),
    Name("Palash", "पलाश"),
    Name("Papiha", "पपीहा"),
    Name("Parijat", "पारिजात"),
    Name("Rohida", "रोहिड़ा"),
    Name("Sagwan", "सागवान"),
    Name("Saptaparni", "सप्तपर्णी"),
    Name("Saras", "सारस"),
    Name("Semal", "सेमल"),
    Name("Shahtoot", "शहतूत"),
    Name("Sheesham", "शीशम"),
    Name("Siris", "सिरिस"),
    Name("Titar", "तीतर"),
    Name("Tota", "तोता"),
)


def person_names(random: Random) -> Iterator[Name]:
    """Give names for ever: each pair of a given and a family name once before any comes again."""
    pairs = [given + family for given in GIVEN for family in FAMILIES]
    random.shuffle(pairs)
    return (pairs[number % len(pairs)] for number in count())


def phone_number(number: int) -> str:
    """Return a number that nobody can have and no network carries.

    Within India 0 is what people dial before a number, and such a prefix is no part of a number in
    E.164 (ITU-T E.164, "prefix"): behind the country code 91 none begins with it.
    """
    return f"+910000{number:06d}"
