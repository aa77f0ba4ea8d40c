"""Make scene.mp4: a night at sea, the lamp of a lighthouse, and a bed of waves and music.

ffmpeg's own sources draw and play everything, so nobody else has rights to the film.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import imageio_ffmpeg

SECONDS = 75
SIZE, FPS = "320x180", 15
LIT = "(lt(T,1)+gt(T,58))"
"""When the lamp burns: it goes out at the beginning of the scene and is lit again near its end."""

SKY = "26+Y*0.30"
SEA = "30+(Y-112)*0.25+9*sin(X/11+Y/2.5-T*1.1)*sin(X/37-T*0.5+Y/7)"
BEAM = f"150*{LIT}*pow(0.5+0.5*cos(atan2(Y-57,X-246)-T*1.2),60)*exp(-hypot(X-246,Y-57)/170)"
GLOW = f"190*{LIT}*exp(-hypot(X-246,Y-57)/7)"
ROCK = "gt(Y,148-46*exp(-pow((X-252)/42,2)))*lt(Y,146)"
TOWER = "lt(abs(X-246),5+(Y-62)/14)*between(Y,62,108)"
LAMP_ROOM = "lt(abs(X-246),4)*between(Y,52,61)"
SHIP_X = "(20+T*1.2)"
SHIP = (
    f"lt(abs(X-{SHIP_X}),13-(Y-108)*0.8)*between(Y,108,114)+lt(abs(X-{SHIP_X}),1)*between(Y,88,108)"
)
LANTERN = f"120*exp(-hypot(X-{SHIP_X},Y-92)/2)*(0.8+0.2*sin(T*5))"

BANDS = "(70+80*lt(mod(Y-62,18),9))"
WORLD = f"if(lt(Y,112),{SKY}+{BEAM},{SEA}+0.25*{BEAM})"
SOLID = f"if({TOWER},{BANDS},if({LAMP_ROOM},60,if({ROCK},18,if({SHIP},14,{WORLD}))))"
LUMA = f"clip({SOLID}+{GLOW}+{LANTERN},16,235)"
PICTURE = (
    f"color=black:s={SIZE}:r={FPS}:d={SECONDS},format=yuv420p,"
    f"geq=lum='{LUMA}':cb='138-6*gt(Y,56)-0.06*lum(2*X,2*Y)':cr='120+4*lt(Y,56)',format=yuv420p"
)

CHORDS = ((110.0, 164.8, 261.6), (98.0, 146.8, 246.9), (87.3, 130.8, 220.0), (82.4, 123.5, 207.7))
BAR = 6.0
"""Seconds per chord."""


def chord(number: int, detune: float) -> str:
    """Return an expression that swells through one of the chords while its bar lasts."""
    bar = f"mod(t,{BAR * len(CHORDS)})-{BAR * number}"
    shape = f"between({bar},0,{BAR})*pow(sin(PI*({bar})/{BAR}),2)"
    tones = "+".join(f"sin(2*PI*{tone * detune:.3f}*t)" for tone in CHORDS[number])
    return f"{shape}*({tones})"


def music(detune: float) -> str:
    """Return one channel of the music."""
    return "0.05*(" + "+".join(chord(number, detune) for number in range(len(CHORDS))) + ")"


VOLUME = -1.8
"""Gain in dB that brings the bed to about -26 LUFS."""
SOUND = (
    f"aevalsrc=exprs='{music(1.0)}|{music(1.003)}':s=48000:d={SECONDS}[music];"
    f"anoisesrc=color=brown:r=48000:d={SECONDS}:a=0.6:seed=7[left];"
    f"anoisesrc=color=brown:r=48000:d={SECONDS}:a=0.6:seed=8[right];"
    "[left][right]amerge,lowpass=f=900,tremolo=f=0.12:d=0.6,volume=0.5[sea];"
    "[music][sea]amix=inputs=2:normalize=0,afade=t=in:d=1.5,"
    f"afade=t=out:st={SECONDS - 2}:d=2,volume={VOLUME}dB[sound]"
)


def main() -> None:
    """Write scene.mp4 beside this file."""
    graph = f"{PICTURE}[picture];{SOUND}"
    video = ("-c:v", "libx264", "-preset", "slow", "-crf", "30", "-g", "75")
    command = [
        *(imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-loglevel", "error", "-y"),
        *("-filter_complex", graph, "-map", "[picture]", "-map", "[sound]"),
        *(*video, "-c:a", "aac", "-b:a", "40k", "-movflags", "+faststart"),
        str(Path(__file__).with_name("scene.mp4")),
    ]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
