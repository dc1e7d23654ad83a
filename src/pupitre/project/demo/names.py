"""Names for invented people: lists from general knowledge, by country and generation, and the rules that join them.

Lists run from frequent to rare; the draw leans to the front, as names do. A name of several words is written with `_`.
"""

import random
import unicodedata
from dataclasses import dataclass


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.replace("_", " ") for word in text.split())


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a family's names come from.

    `given` maps (sex, era) to names; eras are "old" (born before 1962), "adult" (1962-2003), "teen" (2004-2014) and
    "small" (from 2015). A missing era falls back to the next older one. `double` says that people carry two surnames.
    """

    key: str
    language: str
    given: dict[tuple[str, str], tuple[str, ...]]
    surnames: tuple[str, ...]
    double: bool = False
    mother_first: bool = False
    neutral: tuple[str, ...] = ("Noa", "Álex", "Ariel", "Sam")
    second_given: bool = False


CATALAN = Origin(
    key="catalan",
    language="ca",
    double=True,
    neutral=_words("Àlex Noa Cris Ariel Gael Duna Rai"),
    given={
        ("f", "old"): _words(
            "Montserrat Maria Carme Núria Josefina Dolors Teresa Mercè Rosa Assumpta Roser Concepció Pilar Antònia Àngels Neus"
        ),
        ("m", "old"): _words(
            "Josep Joan Jordi Francesc Antoni Lluís Ramon Jaume Pere Miquel Enric Salvador Carles Manel Joaquim Albert"
        ),
        ("f", "adult"): _words(
            "Marta Núria Laura Anna Cristina Mònica Montse Eva Sònia Sílvia Mireia Gemma Judit Laia Esther Elisabet Meritxell Raquel "
            "Sandra Neus Georgina Maria Imma Míriam Anna_Maria Elisenda Ester Olga Carme Mariona Glòria Alba Clara Sara Isabel Roser Natàlia Rosa"
        ),
        ("m", "adult"): _words(
            "Jordi Marc Xavier David Albert Josep Carles Oriol Sergi Jaume Joan Ramon Roger Lluís Ferran Francesc Gerard Ignasi Eduard Robert "
            "Pere Miquel Enric Toni Raül Jaume Víctor Daniel Òscar Guillem Bernat Quim Santi Manel Josep_Maria Adrià Eloi Pau"
        ),
        ("f", "teen"): _words(
            "Júlia Laia Carla Maria Aina Clàudia Martina Paula Mar Ona Berta Ariadna Emma Núria Judit Marina Abril Helena Mireia Queralt Blanca "
            "Mariona Jana Alba Sara Ivet Anna Gemma Bet Èlia Laura Marta Carlota Cèlia Irene Txell"
        ),
        ("m", "teen"): _words(
            "Pau Marc Arnau Pol Jan Biel Àlex Nil Martí Oriol Gerard Guillem Adrià Aleix Roger Èric Roc Bernat Jordi Ferran Joan Eloi Ignasi "
            "Miquel Joel Isaac Sergi Max Quim Albert Lluc Aniol Xavier Enric Jofre Ricard"
        ),
        ("f", "small"): _words(
            "Júlia Ona Martina Lia Mar Aina Emma Laia Jana Arlet Bruna Gala Vinyet Noa Abril Berta Nora Èlia Lola Elna Rita Duna Cloe Ivet "
            "Gal·la Mia Lluna Clàudia Joana Queralt Greta Candela Mariona Frida"
        ),
        ("m", "small"): _words(
            "Biel Jan Pol Nil Leo Martí Pau Roc Bruno Marc Lluc Max Aleix Arnau Teo Ot Aniol Gael Ian Àlex Guillem Blai Oriol Bernat Jofre "
            "Pep Joel Èric Quim Lleó Grau Valentí"
        ),
    },
    surnames=_words(
        "Vila Serra Soler Puig Ferrer Roca Pujol Font Vidal Riera Bosch Mas Costa Casals Sala Solé Torres Prat Roig Camps Pons Coll Bonet Rovira "
        "Grau Ribas Tarrés Planas Comas Batlle Oliveras Subirana Garriga Canals Busquets Carbonell Ventura Mir Ribera Casas Torrent Esteve Rius "
        "Castells Domènech Vives Gual Claramunt Molins Fàbregas Sabaté Plana Bosc Creus Masdeu Illa Alsina Miralles Fortuny Llobet Codina Rovirosa "
        "Savall Sunyer Xirau Estruch Benet Colomer Cardona Rosell Verdaguer Pallarès Figueras Gras Noguera Serrat Capdevila Bover"
    ),
)

CASTILIAN = Origin(
    key="castilian",
    language="es",
    double=True,
    neutral=_words("Álex Noa Andrea Cris Ariel Alexis"),
    given={
        ("f", "old"): _words(
            "María_Carmen Josefa Isabel Dolores Pilar Antonia Francisca Ana_María Encarnación Mercedes Rosario Manuela Teresa Concepción"
        ),
        ("m", "old"): _words(
            "Antonio José Manuel Francisco Juan José_Luis Ángel Miguel Rafael Pedro Julián Vicente Fernando Luis"
        ),
        ("f", "adult"): _words(
            "María Laura Cristina Ana Marta Raquel Sonia Eva Susana Beatriz Silvia Patricia Mónica Rocío Yolanda María_José Nuria Verónica Lorena "
            "Noelia Sandra Isabel Elena Inmaculada Rosa Ana_Belén Esther Miriam Virginia Pilar Natalia Vanesa Irene Mercedes Carmen Lourdes Olga Alicia Gema"
        ),
        ("m", "adult"): _words(
            "David Javier Daniel José_Antonio Francisco_Javier Antonio Juan_Carlos Carlos Jesús Alejandro Miguel_Ángel Sergio Manuel Rubén Óscar "
            "José_Manuel Raúl Alberto Jorge Iván Fernando Pablo Luis Ángel Roberto Juan_José Víctor Diego Eduardo Ignacio Enrique Pedro Andrés Julio Ramón Félix"
        ),
        ("f", "teen"): _words(
            "Lucía María Paula Daniela Sara Carla Claudia Sofía Alba Martina Irene Julia Marta Carmen Noelia Laura Elena Ana Andrea Ainhoa Nerea Inés "
            "Celia Lola Rocío Candela Ainara Blanca Natalia Marina Ángela Lidia Miriam Aitana Nuria Leire"
        ),
        ("m", "teen"): _words(
            "Alejandro Daniel Pablo Hugo Álvaro Adrián David Javier Diego Mario Sergio Marcos Iván Manuel Jorge Carlos Rubén Miguel Raúl Antonio Víctor Izan "
            "Juan Ángel Lucas Nicolás Samuel Héctor Gonzalo Rodrigo Jaime Guillermo Ismael Aarón Joel Óscar Darío"
        ),
        ("f", "small"): _words(
            "Lucía Martina Sofía Julia Valeria Vega Emma Daniela Olivia Alma Carla Alba Chloe Lola Valentina Claudia Candela Jimena Triana Vera Aitana Noa Abril "
            "Carmen Lara Manuela Gala Mía Cayetana India Nora Adriana Laia Elsa"
        ),
        ("m", "small"): _words(
            "Hugo Mateo Martín Lucas Leo Daniel Alejandro Manuel Pablo Álvaro Adrián Enzo Mario Diego David Oliver Marcos Thiago Marco Bruno Gael Izan Liam Nicolás "
            "Javier Luca Antonio Eric Gonzalo Darío Samuel Rodrigo Asier Unai"
        ),
    },
    surnames=_words(
        "García Rodríguez González Fernández López Martínez Sánchez Pérez Gómez Martín Jiménez Ruiz Hernández Díaz Moreno Muñoz Álvarez Romero Alonso Gutiérrez "
        "Navarro Torres Domínguez Vázquez Ramos Gil Ramírez Serrano Blanco Molina Morales Suárez Ortega Delgado Castro Ortiz Rubio Marín Sanz Núñez Iglesias Medina "
        "Garrido Cortés Castillo Santos Lozano Guerrero Cano Prieto Méndez Cruz Calvo Gallego Vidal León Herrera Márquez Peña Flores Cabrera Campos Vega Fuentes "
        "Carrasco Diez Caballero Nieto Reyes Aguilar Pascual Herrero Santana Lorenzo Hidalgo Montero Ibáñez Giménez Ferrer Durán Vicente Benítez Mora Arias Vargas "
        "Carmona Crespo Pastor Soto Sáez Velasco Moya Soler Parra Bravo Gallardo Rojas Pardo Merino Franco Espinosa Izquierdo Lara Rivas Silva Rivera Casado Arroyo "
        "Redondo Camacho Rey Vera Otero Luque Galán Montes Ríos Segura Carrillo Marcos Marco Soriano Mendoza Bernal Robles Vila Palacios Benito Guillén Aranda Esteban"
    ),
)

CHILEAN = Origin(
    key="chilean",
    language="es",
    double=True,
    second_given=True,
    neutral=_words("Ariel Alexis Noa Sam"),
    given={
        ("f", "old"): _words(
            "María_Teresa Rosa Gladys Sonia Patricia Eliana Silvia Hilda Norma Inés Olga Marta Graciela Mirta"
        ),
        ("m", "old"): _words(
            "Luis Jorge Juan Sergio Hernán Manuel Héctor Carlos Guillermo Raúl Óscar Eduardo Hugo Mario"
        ),
        ("f", "adult"): _words(
            "Carolina Claudia Andrea Paola Marcela Daniela Francisca Paula Lorena Alejandra Pamela Macarena Verónica Natalia Ximena Katherine Constanza Valeria "
            "Camila Javiera Karen Viviana Soledad Bernardita Jimena Evelyn Karina Bárbara Catalina Loreto Mónica Viviana Fernanda Alejandra"
        ),
        ("m", "adult"): _words(
            "Rodrigo Cristian Felipe Pablo Francisco Claudio Marcelo Mauricio Álvaro Sebastián Andrés Patricio Gonzalo Jorge Eduardo Alejandro Nicolás Diego "
            "Ricardo Juan_Pablo Carlos Daniel Hernán Esteban Ignacio Óscar Víctor Jaime Cristóbal Matías Hugo Raúl Germán"
        ),
        ("f", "teen"): _words(
            "Sofía Martina Florencia Antonia Catalina Isidora Valentina Javiera Constanza Fernanda Emilia Josefa Amanda Maite Francisca Agustina Ignacia Trinidad "
            "Magdalena Monserrat Rafaela Camila Colomba Renata Anaís Millaray Rocío Pía Consuelo Victoria"
        ),
        ("m", "teen"): _words(
            "Benjamín Vicente Martín Matías Joaquín Agustín Maximiliano Cristóbal Sebastián Tomás Diego Nicolás Ignacio Lucas Felipe Bastián Alonso José_Tomás "
            "Renato Gabriel Fernando Franco Simón Damián Cristian Javier Amaro Esteban Clemente Raimundo"
        ),
        ("f", "small"): _words(
            "Emilia Isabella Julieta Sofía Florencia Agustina Emma Amanda Trinidad Josefa Isidora Antonia Matilda Violeta Olivia Maite Rafaela Elena Amparo Laura "
            "Colomba Leonor Gracia Julia Rosario Mía Renata Clara Ema Ayelén"
        ),
        ("m", "small"): _words(
            "Mateo Liam Gaspar Agustín Lucas Santiago Benjamín Vicente Máximo Facundo León Tomás Emilio Julián Joaquín Alonso Clemente Borja Martín Simón Amaro "
            "Matías Rafael Salvador Gael Dante Bruno Baltazar Lautaro Elías"
        ),
    },
    surnames=_words(
        "González Muñoz Rojas Díaz Pérez Soto Contreras Silva Martínez Sepúlveda Morales Rodríguez López Fuentes Hernández Torres Araya Flores Espinoza Valenzuela "
        "Castillo Tapia Reyes Gutiérrez Castro Pizarro Vargas Álvarez Vásquez Sánchez Fernández Ramírez Carrasco Gómez Cortés Herrera Núñez Jara Vergara Rivera "
        "Figueroa Riquelme García Miranda Bravo Vera Molina Vega Campos Sandoval Orellana Cárdenas Barría Oyarzún Mansilla Barrientos Gallardo Almonacid Alvarado "
        "Uribe Velásquez Subiabre Paredes Navarro Olivares Ojeda Toledo Aguilar Saavedra Salazar Henríquez Parra Leiva Bustamante Zúñiga"
    ),
)

GERMAN_CHILEAN = Origin(
    key="german_chilean",
    language="es",
    double=True,
    second_given=True,
    neutral=_words("Kim Ariel Sascha"),
    given={
        ("f", "old"): _words("Ingrid Erika Edith Helga Irma Renate Elsa Marta"),
        ("m", "old"): _words("Werner Helmut Federico Carlos Otto Germán Hugo Reinaldo"),
        ("f", "adult"): _words(
            "Karin Carolina Andrea Ingrid Claudia Heidi Verónica Paula Marlene Alejandra Mónica Daniela Astrid Susana Francisca Pamela Katherine"
        ),
        ("m", "adult"): _words(
            "Cristian Rodrigo Andrés Erwin Alex Felipe Ricardo Marcelo Pablo Alfredo Rolf Gerardo Harald Eduardo Enrique Francisco Tomás"
        ),
        ("f", "teen"): _words(
            "Antonia Sofía Emilia Josefa Martina Isidora Amelie Catalina Valentina Heidi Ignacia Florencia Clara Johanna Annika Elisa"
        ),
        ("m", "teen"): _words(
            "Maximiliano Martín Nicolás Matías Lukas Sebastián Benjamín Vicente Cristóbal Felix Joaquín Alexander Oliver Tomás Hans Erik"
        ),
        ("f", "small"): _words(
            "Emilia Clara Ema Julieta Olivia Amelia Mathilda Leonor Antonia Lina Isabella Elisa Greta Florencia Frieda"
        ),
        ("m", "small"): _words(
            "Lukas Oliver Gaspar Mateo Emil León Maximiliano Anton Agustín Felix Matteo Otto Benjamín Theo Santiago"
        ),
    },
    surnames=_words(
        "Klenner Opitz Winkler Schmidt Hoffmann Werner Kuschel Brahm Teuber Minte Gebauer Neumann Raddatz Schilling Wolf Bittner Siebert Konrad Püschel "
        "Matzner Weber Becker Richter Hess Kraemer Fischer Oelckers Vogt Rehbein Schulz Niemann Hitschfeld Wiederhold Rosas Brintrup Mödinger"
    ),
)

MAPUCHE = Origin(
    key="mapuche",
    language="es",
    double=True,
    second_given=True,
    given=CHILEAN.given,
    neutral=CHILEAN.neutral,
    surnames=_words(
        "Catrilef Millaqueo Paillacar Nahuelpán Antilef Colipán Huaiquil Curiñanco Huenul Lincopán Marileo Quintul Raín Painemal Llanquín Calfuqueo"
    ),
)

LATIN = Origin(
    key="latin_american",
    language="es",
    double=True,
    neutral=_words("Alexis Ariel Andy Noa"),
    given={
        ("f", "adult"): _words(
            "Diana Jenny Paola Gabriela Verónica Maribel Sandra Yesenia Johanna Viviana Karina Luz_Marina Mayra Yuliana Nancy Adriana Rosa Lisbeth Marisol Katiuska"
        ),
        ("m", "adult"): _words(
            "Luis Carlos Jhon Wilson Edwin Juan Fredy Jairo Marco Walter Milton Hernán Diego Franklin Julio César Byron Gustavo Rolando Alexis"
        ),
        ("f", "teen"): _words(
            "Valentina Camila Sofía Dayana Nicole Salomé Mariana Luciana Isabella Melany Ashley Danna Gabriela Antonella Sharon Zoe Kiara Milagros"
        ),
        ("m", "teen"): _words(
            "Santiago Sebastián Juan_David Matías Thiago Jhonatan Kevin Steven Emiliano Samuel Josué Mateo Anthony Isaac Dylan Alexander Brayan Nicolás"
        ),
        ("f", "small"): _words(
            "Isabella Antonella Luciana Emily Victoria Mía Alaia Aitana Zoe Salomé Julieta Samantha Luna Catalina Emilia"
        ),
        ("m", "small"): _words(
            "Thiago Liam Mateo Dylan Santiago Emiliano Isaac Gael Ian Samuel Matías Joaquín Jacob Luciano Alan"
        ),
    },
    surnames=_words(
        "Quispe Rodríguez Zambrano Cedeño Vera Mendoza Guamán Loor Castro Restrepo Zapata Ospina Cárdenas Mamani Flores Huamán Rojas Vargas Paredes Chávez "
        "Benítez Acosta Villalba Ledesma Salinas Aguirre Montoya Giraldo Henao Morocho Toapanta Yupanqui Reyes Pineda Zelaya Mejía Urdaneta Colmenares"
    ),
)

MOROCCAN = Origin(
    key="moroccan",
    language="es",
    given={
        ("f", "adult"): _words(
            "Fatima Khadija Naima Hanane Samira Malika Rachida Karima Saida Nadia Latifa Najat Loubna Souad Ikram Zohra"
        ),
        ("m", "adult"): _words(
            "Mohamed Ahmed Rachid Abdelkader Hassan Said Mustapha Youssef Driss Khalid Abdellah Hamid Brahim Jamal Nourdine Omar"
        ),
        ("f", "teen"): _words(
            "Salma Yasmina Hafsa Aya Imane Nour Sara Doha Hiba Chaimae Ikram Malak Douae Rania Wissal Kawtar"
        ),
        ("m", "teen"): _words(
            "Mohamed Adam Youssef Ayoub Anas Ilyas Bilal Amine Hamza Zakaria Yassin Walid Omar Marwan Imad Soufian"
        ),
        ("f", "small"): _words(
            "Aya Nour Jannat Amira Lina Malak Inaya Safa Yasmin Alia Israe Tasnim Sara Hiba"
        ),
        ("m", "small"): _words(
            "Mohamed Adam Amir Rayan Jad Ilyas Yassir Younes Iyad Haron Zayd Nassim Anir Imran"
        ),
    },
    surnames=_words(
        "El_Amrani Benali Chaoui El_Idrissi Bouzid El_Mansouri Haddad Ouali Azzouzi Lahlou El_Khattabi Boukhari Saidi Berrada Tahiri Ziani El_Haddioui Aarab "
        "Belkacem Mimoun Bennani El_Yaakoubi Ouchen Akhrif Amezian"
    ),
)

ROMANIAN = Origin(
    key="romanian",
    language="es",
    given={
        ("f", "adult"): _words(
            "Mihaela Elena Daniela Cristina Ioana Alina Simona Gabriela Nicoleta Ramona Monica Carmen Loredana Florentina Adriana"
        ),
        ("m", "adult"): _words(
            "Ion Vasile Adrian Florin Marian Cristian Gheorghe Constantin Daniel Ionut Mihai Sorin Costel Viorel Catalin"
        ),
        ("f", "teen"): _words(
            "Andreea Alexandra Maria Denisa Bianca Larisa Ana_Maria Daria Raluca Sorana Teodora Iulia Roxana"
        ),
        ("m", "teen"): _words(
            "Alexandru Andrei David Stefan Mihai Darius Gabriel Robert Raul Ionut Luca Cosmin Denis"
        ),
        ("f", "small"): _words("Sofia Maria Ana Daria Eva Amalia Ilinca Anastasia Iris Natalia"),
        ("m", "small"): _words("David Matei Luca Stefan Andrei Victor Iustin Filip Tudor Robert"),
    },
    surnames=_words(
        "Popa Popescu Ionescu Radu Dumitru Stan Munteanu Ciobanu Rusu Moldovan Lazar Marin Nistor Dobre Stoica Matei Ungureanu Barbu Florea Petcu Oprea Sandu Toma"
    ),
)

CHINESE = Origin(
    key="chinese",
    language="es",
    neutral=_words("Yi An Jia"),
    given={
        ("f", "adult"): _words(
            "Xiaoyan Lihua Meiling Yanyan Xiaoli Fang Liping Yuqin Haiyan Qiuxia Jinfeng Wenjuan"
        ),
        ("m", "adult"): _words(
            "Wei Jianhua Xiaoping Weidong Haibo Guangming Jianjun Yong Zhiqiang Minghua Feng Liang"
        ),
        ("f", "teen"): _words("Xinyi Jiayi Yuxin Sisi Mengjie Keyi Ruoxi Yiting Xiaoyu Jingyi"),
        ("m", "teen"): _words("Haoran Zihan Junjie Yichen Jiahao Weijie Kaiwen Haoyu Zhihao Mingyang"),
        ("f", "small"): _words("Yinuo Xinyue Keke Jiaxin Yutong Anqi Linlin Yihan"),
        ("m", "small"): _words("Yichen Zixuan Muchen Haoyu Yuhang Leyi Jiarui Tianyi"),
    },
    surnames=_words("Chen Lin Wang Ye Zhou Zhang Hu Xu Wu Zheng Liu Huang Zhu Jin Ji Pan Xia Dong Weng Ruan"),
)

WEST_AFRICAN = Origin(
    key="west_african",
    language="fr",
    given={
        ("f", "adult"): _words("Fatoumata Aminata Mariama Awa Binta Kadiatou Adama Isatou Hawa Ramatoulaye"),
        ("m", "adult"): _words(
            "Mamadou Ousmane Ibrahima Lamin Boubacar Moussa Abdoulaye Ebrima Alieu Cheikh"
        ),
        ("f", "teen"): _words("Fatou Aissatou Mariama Awa Bintou Kadija Hawa Aminata"),
        ("m", "teen"): _words("Mamadou Ibrahima Moussa Lamin Ousman Alpha Sekou Musa"),
    },
    surnames=_words(
        "Diallo Ceesay Touray Sow Diop Camara Ndiaye Barry Jallow Sanneh Drammeh Traoré Baldé Fofana"
    ),
)

FRENCH = Origin(
    key="french",
    language="fr",
    given={
        ("f", "adult"): _words(
            "Céline Sandrine Émilie Aurélie Nathalie Virginie Delphine Stéphanie Claire Audrey"
        ),
        ("m", "adult"): _words(
            "Nicolas Julien Stéphane Sébastien Olivier Guillaume Frédéric Laurent Cédric Thomas"
        ),
        ("f", "teen"): _words("Léa Manon Chloé Camille Inès Clara Zoé Juliette Louise Lola"),
        ("m", "teen"): _words("Lucas Enzo Théo Hugo Nathan Louis Jules Clément Maxime Gabin"),
        ("f", "small"): _words("Jade Louise Alice Lina Rose Ambre Romy Léonie"),
        ("m", "small"): _words("Gabriel Léo Raphaël Jules Arthur Noé Marius Sacha"),
    },
    surnames=_words(
        "Moreau Lefèvre Roux Fontaine Chevalier Gauthier Perrin Marchand Colin Renaud Lemoine Barbier Guérin Brun Dufour"
    ),
)

GERMAN = Origin(
    key="german",
    language="de",
    neutral=_words("Kim Sascha Toni"),
    given={
        ("f", "adult"): _words(
            "Stefanie Katrin Julia Nicole Sandra Anja Christina Kerstin Franziska Susanne Melanie Ulrike Anne"
        ),
        ("m", "adult"): _words(
            "Stefan Michael Christian Thomas Andreas Markus Daniel Matthias Jan Florian Jens Sebastian Torsten"
        ),
        ("f", "teen"): _words(
            "Lena Hannah Leonie Johanna Charlotte Paula Clara Lotta Marie Frieda Emma Mathilda"
        ),
        ("m", "teen"): _words("Leon Jonas Finn Paul Felix Jakob Moritz Julius Anton Maximilian Till Lasse"),
        ("f", "small"): _words("Emilia Mia Ella Lina Frieda Ida Mathilda Leni Romy Klara"),
        ("m", "small"): _words("Noah Theo Emil Matteo Henry Anton Oskar Karl Mats Levi"),
    },
    surnames=_words(
        "Krüger Hartmann Lange Schubert Köhler Zimmermann Vogel Friedrich Ziegler Brandt Sommer Seidel Lindner Arnold Voigt Böhm Engel Pohl Kaiser Heinrich"
    ),
)

ENGLISH = Origin(
    key="english",
    language="en",
    given={
        ("f", "adult"): _words("Sarah Emma Claire Rachel Lisa Joanne Helen Catherine Fiona Louise"),
        ("m", "adult"): _words("James Andrew Mark Paul Richard Simon Matthew Stephen Gareth Neil"),
        ("f", "teen"): _words("Olivia Grace Ruby Emily Amelia Isla Freya Poppy Ellie Imogen"),
        ("m", "teen"): _words("Oliver Jack Harry Thomas Alfie George Ethan Archie Callum Finlay"),
        ("f", "small"): _words("Isla Ava Ivy Florence Willow Elsie Rosie Maeve"),
        ("m", "small"): _words("Noah Arthur Theodore Freddie Oscar Albie Rory Jude"),
    },
    surnames=_words(
        "Thompson Walker Hughes Bennett Foster Barnes Palmer Whitfield Reid Hartley Lawson Carter Doyle Pearson Marsh"
    ),
)

PORTUGUESE = Origin(
    key="portuguese",
    language="pt",
    double=True,
    mother_first=True,
    given={
        ("f", "adult"): _words("Ana_Paula Sónia Carla Sandra Susana Marisa Juliana Patrícia Fernanda Cátia"),
        ("m", "adult"): _words("João Paulo Nuno Ricardo Bruno Tiago Rui Marcelo Pedro Hélder"),
        ("f", "teen"): _words("Beatriz Mariana Carolina Leonor Matilde Inês Larissa Letícia"),
        ("m", "teen"): _words("Rodrigo Gonçalo Afonso Francisco Guilherme Gustavo Duarte Caio"),
        ("f", "small"): _words("Maria_Clara Alice Leonor Benedita Aurora Helena Heloísa"),
        ("m", "small"): _words("Miguel Heitor Vicente Lourenço Davi Theo Salvador"),
    },
    surnames=_words(
        "Silva Santos Ferreira Pereira Oliveira Carvalho Teixeira Moreira Nogueira Barbosa Lopes Marques Pinto Cardoso Rocha Antunes Coelho"
    ),
)

UKRAINIAN = Origin(
    key="ukrainian",
    language="en",
    given={
        ("f", "adult"): _words("Oksana Olena Iryna Nataliia Tetiana Svitlana Yuliia Halyna"),
        ("m", "adult"): _words("Andrii Serhii Oleksandr Vasyl Mykola Ihor Taras Roman"),
        ("f", "teen"): _words("Anastasiia Sofiia Daryna Polina Veronika Solomiia Kateryna Zlata"),
        ("m", "teen"): _words("Maksym Artem Danylo Nazar Bohdan Dmytro Tymofii Matvii"),
    },
    surnames=_words(
        "Kovalenko Bondarenko Tkachenko Shevchuk Kravchuk Melnyk Lysenko Savchenko Marchenko Rudenko Moroz Boiko"
    ),
)

ORIGINS: dict[str, Origin] = {
    origin.key: origin
    for origin in (
        CATALAN, CASTILIAN, CHILEAN, GERMAN_CHILEAN, MAPUCHE, LATIN, MOROCCAN, ROMANIAN, CHINESE, WEST_AFRICAN, FRENCH, GERMAN,
        ENGLISH, PORTUGUESE, UKRAINIAN,
    )
}  # fmt: skip

# Chance must not put a well-known name on an invented person: given name with first surname, folded to ASCII.
_KNOWN = frozenset(
    _words(
        "pau_gasol marc_gasol marc_marquez alex_marquez rafael_nadal jordi_pujol joan_roig carles_puyol gerard_pique xavier_trias alexia_putellas "
        "pedro_sanchez felipe_gonzalez gabriel_garcia penelope_cruz sergio_ramos david_villa fernando_torres fernando_alonso carlos_sainz "
        "gabriel_boric sebastian_pinera arturo_vidal marcelo_rios alexis_sanchez claudio_bravo pablo_neruda ana_torrent manuel_vicente "
        "jordi_roca joan_roca josep_roca enric_miralles jaume_plensa aitana_bonmati ona_batlle mariona_caldentey sergi_roberto julio_iglesias "
        "enrique_iglesias antonio_banderas javier_bardem pablo_iglesias irene_montero alberto_garzon pablo_casado ines_arrimadas paula_ribo "
        "eric_garcia jose_luis_rodriguez antonio_machado rosa_montero ana_torroja victor_manuel miguel_hernandez adam_smith"
    )
)


def fold(text: str) -> str:
    """Text in lower-case ASCII letters and digits only, as in a user name."""
    plain = unicodedata.normalize("NFKD", text.replace("ø", "o").replace("ß", "ss"))
    return "".join(letter for letter in plain.lower() if letter.isascii() and letter.isalnum())


def era_of(birth_year: int) -> str:
    """The generation whose fashion named somebody of that year."""
    for limit, era in ((1962, "old"), (2004, "adult"), (2015, "teen")):
        if birth_year < limit:
            return era
    return "small"


def _lean(rng: random.Random, names: tuple[str, ...]) -> str:
    """One of the names, the first ones about three times as often as the last."""
    return names[int(len(names) * rng.random() ** 1.45)]


_OLDER = {
    "small": ("small", "teen", "adult"),
    "teen": ("teen", "adult"),
    "adult": ("adult",),
    "old": ("old", "adult"),
}


def draw_given(rng: random.Random, origin: Origin, sex: str, birth_year: int) -> str:
    """A given name in the fashion of the birth year; near the turn of 2015 both fashions are met."""
    if sex == "x":
        return rng.choice(origin.neutral)
    blurred = birth_year + rng.randint(-4, 4) if birth_year > 2005 else birth_year
    for era in _OLDER[era_of(blurred)]:
        names = origin.given.get((sex, era))
        if names:
            return _lean(rng, names)
    raise LookupError(f"no given names for {origin.key} {sex}")


def draw_surnames(rng: random.Random, origin: Origin) -> tuple[str, ...]:
    """The surnames of an adult: two where the country gives two (now and then the same one twice), else one."""
    first = _lean(rng, origin.surnames)
    return (first, _lean(rng, origin.surnames)) if origin.double else (first,)


def child_surnames(
    origin: Origin, father: tuple[str, ...], mother: tuple[str, ...], *, mother_first: bool
) -> tuple[str, ...]:
    """The children's surnames: the first of each parent where the family's country gives two, else one of them.

    `father` or `mother` is empty where the child has one parent, whose surnames it then carries whole.
    """
    if not father or not mother:
        return father or mother
    ordered = (mother[0], father[0]) if mother_first != origin.mother_first else (father[0], mother[0])
    return ordered if origin.double else ordered[:1]


def is_known(given: str, surnames: tuple[str, ...]) -> bool:
    """Whether the name is that of somebody everybody knows."""
    return f"{' '.join(fold(word) for word in given.split())} {fold(surnames[0])}" in _KNOWN


class Usernames:
    """User names given out so far; each comes out once, a number makes the second one different."""

    def __init__(self) -> None:
        self._next: dict[str, int] = {}

    def _claim(self, stem: str) -> str:
        number = self._next.get(stem, 0) + 1
        self._next[stem] = number
        # A stem never ends in a digit, so a numbered name cannot meet another stem.
        return stem if number == 1 else f"{stem}{number}"

    def of_person(self, given: str, surnames: tuple[str, ...]) -> str:
        """`given.surname`, for pupils and guardians."""
        return self._claim(f"{fold(given.split(maxsplit=1)[0])}.{fold(surnames[0])}")

    def of_staff(self, given: str, surnames: tuple[str, ...]) -> str:
        """`gsurname`, as schools write their staff; without a dot it cannot meet a pupil's."""
        return self._claim(f"{fold(given)[0]}{fold(surnames[0])}")


def phone(rng: random.Random, country: str) -> str:
    """A number that rings nowhere: national numbers with a leading digit that the country's plan does not assign."""
    if country == "CL":
        return f"+56 9 0{rng.randint(0, 999):03d} {rng.randint(0, 9999):04d}"
    return f"+34 4{rng.randint(0, 99):02d} {rng.randint(0, 999):03d} {rng.randint(0, 999):03d}"
