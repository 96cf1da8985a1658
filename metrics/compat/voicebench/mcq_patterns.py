"""How VoiceBench finds the letter of an answer to a multiple-choice question (mcq.py of 5338154, Apache-2.0).

@ stands for the letter. The templates are tried in this order, in each of them a, b, c and d; those of the original
that can never decide are left out.
"""

# fmt: off
TEMPLATES = (
    "答案是@", "答案是 @", "答案是选项@", "答案应该是@", "答案应该是 @", "答案就是选项@",
    "答案是‘@", "是@：", "答案选@", "@是正确", "选项@是最合适的",
    "answer is: **@", "answer is **@", "the answer to the question is: **@",
    "the answer to the multiple-choice question is **@", "the answer is '@'", "@ is the best answer",
    "the answer is @", "the correct answer is @", "would select @", "would choose @", "would select option @",
    "would choose option @", "is \"@\"", "is \"@.", "is: **@)", "is **@,", "is **@:", "is **@)", "is: **@.",
    "is: **@:", "is **@.", "be **@,", "is: **@**", "is therefore option **@:", "is: \n\n**@)", "as **@:", "be **@)",
    "be **@:", "is: \n\n**@**", "suggests **@)", "be option **@:", "with **@)", "is typically \"@)", "be to **@)",
    "is: \n\n@)", "is likely to be: **@.", "is **@ (", "is option **@**", "is likely **@**", "is:\n**@.",
    "is:\n\n**@.", "would be @", "would be option @", "would be (@)", "would be option (@)", "is @,",
    "is typically @,", "is typically @.", "i'd say @.", "option @.", "option @:", "option @,", "the answer is:\n**@",
    "is @:", "is @.", "is: @.", "is (@)", "is:\n**@)", "is likely **@:", "is the **@)", ":\n@.", ":\n@)", ":\n@,",
    ": \n@.", ":  \n@.", ":\n\n@.", ":\n\n@)", "is most likely **@:", ":\n\n@,", ": \n\n@.", "(@) would be", "is @)",
    "is: @)", "is:\n\n@:", "is: **@,", "(option @)", "select option \"@\"", "is: @", "is typically **@,", "is **@**",
    "is likely '@'", "is option '@'", "is:\n**@:", "is \\( \\boxed{@ ", "would be '@'", "is the **@** ",
    "question is @ (", "is:\n\n**@)", "closest to option **@**", "is most likely **@)",
    "the answer to the question is '@'", "known as '@'", "is '@)", "is typically **@:",
    "is \\( \\boxed{\\text{@}} \\)", "is \\( \\text{@) }", "is \\( \\text{@} \\)", "is \\( \\text{@:",
    "is \\( \\text{@)", "is \\(\\text{@.", "is:\n\n**@", "is \\( \\text{@.}", "is \\( \\text{@.",
    "is \\( \\boxed{@}", "is:\n\\[ \\boxed{\\text{@}}", "is:\n\\[ \\text{@)", "is:\n\n\\[ \\text{@)",
    "is \\( \\textbf{@)", "is \\( \\text{@}", "is: \\( \\text{@.", "corresponds to:\n- **@:", "would be: **@**.",
    "is \\( @ \\)", "is:\n**@ ", "corresponds to option **@**", "be **@**", "be: \n\n@)", "is:\n\\[ \\boxed{@}",
    "is:  \n**@:", "is: \\( \\text{@)", "is likely: **@,", "is } \\mathbf{@.", "is \\( \\boxed{@)",
    "is \\( \\textbf{@}", "is \\(@\\)", "is:\n  \n**@:", "is option **@ ", "is:\n\\( \\textbf{@.",
    "is \\( \\mathbf{@}", "was option **@**", "is likely \"@)", "option **@:", "is \"@)", "is most likely **@,",
    "is often **@:", "is:  \n@)", " @.", " @,", " @:", " @)", "**@.", "**@)", "\"@.", "\"@,", "\"@:", "(@)", "\"@\"",
)
# fmt: on
