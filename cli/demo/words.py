"""Names of what is generated, in English and Hindi: plain words of towns, nobody's name."""

from cli.demo.facts import Name

TEAM = Name("Team", "टोली")
COMMITTEE = Name("Committee", "समिति")
MONITORING = Name("Monitoring Team", "निगरानी दल")
DEPARTMENT = Name("Digital Department", "डिजिटल विभाग")
VOTERS = Name("Voters", "मतदाता")
YOUTH_ICONS = Name("Youth Icons", "युवा आइकन")
EXECUTIVE = Name("Executive", "कार्यकारिणी")
OFFICE_BEARERS = Name("Office-bearers", "पदाधिकारी")
SHAKTI_KENDRA = Name("Shakti Kendra", "शक्ति केंद्र")

CATEGORIES = {
    "farmers": Name("Farmers", "किसान"),
    "students": Name("Students", "विद्यार्थी"),
    "women": Name("Women", "महिलाएँ"),
    "traders": Name("Traders", "व्यापारी"),
    "professionals": Name("Professionals", "पेशेवर"),
}

_PARTS = (
    Name("Town", "नगर"),
    Name("East", "पूर्व"),
    Name("West", "पश्चिम"),
    Name("North", "उत्तर"),
    Name("South", "दक्षिण"),
    Name("Rural", "देहात"),
    Name("Central", "मध्य"),
)
# A constituency whose own name ends so would make "Kota North East": its mandals are numbered.
_DIRECTED = ("North", "South", "East", "West", "Rural", "Urban", "Nagar", "Lines")

LOCALITIES = (
    Name("Station Road", "स्टेशन रोड"),
    Name("Bus Stand", "बस स्टैंड"),
    Name("Old Market", "पुराना बाज़ार"),
    Name("New Market", "नया बाज़ार"),
    Name("Grain Market", "अनाज मंडी"),
    Name("Hospital Road", "अस्पताल रोड"),
    Name("School Ground", "स्कूल मैदान"),
    Name("College Road", "कॉलेज रोड"),
    Name("Panchayat Bhavan", "पंचायत भवन"),
    Name("Fort Gate", "किला द्वार"),
    Name("Lake Side", "झील किनारा"),
    Name("Stepwell", "बावड़ी"),
    Name("Potters' Lane", "कुम्हार गली"),
    Name("Weavers' Lane", "बुनकर गली"),
    Name("Canal Colony", "नहर कॉलोनी"),
    Name("Railway Colony", "रेलवे कॉलोनी"),
    Name("Post Office", "डाकघर"),
    Name("Water Works", "जलदाय विभाग"),
    Name("Cattle Fair Ground", "पशु मेला मैदान"),
    Name("Clock Tower", "घंटाघर"),
    Name("Hill View", "पहाड़ी मोहल्ला"),
    Name("River Bank", "नदी किनारा"),
    Name("Industrial Area", "औद्योगिक क्षेत्र"),
    Name("Bypass", "बाईपास"),
)


def mandal_name(constituency: Name, number: int) -> Name:
    """Name the mandal of this number (from 1) in a constituency."""
    if constituency.en.split()[-1] in _DIRECTED or number > len(_PARTS):
        return constituency + Name(f"Mandal {number}", f"मंडल {number}")
    return constituency + _PARTS[number - 1]


def locality_name(number: int) -> Name:
    """Name the shakti kendra of this number (from 0); names come round again with a number."""
    round_number, index = divmod(number, len(LOCALITIES))
    suffix = f" {round_number + 1}" if round_number else ""
    name = LOCALITIES[index]
    return Name(name.en + suffix, name.hi + suffix)


def booth_name(number: int) -> Name:
    """Name the booth of this number in its constituency."""
    return Name(f"Booth {number}", f"बूथ {number}")
