/**
 * Letter pairs of English: row = first letter, column = second, alphabet a–z and space. Two base-36 digits each, minus the
 * natural logarithm of the transition's probability in hundredths. Learned by scripts/train-word-model.mjs from two texts
 * in the public domain (Newton's Opticks, Twain's Tom Sawyer).
 */
export const LETTER_PAIRS: readonly string[] = [
	'n4bc8e92oqdibbl19fm3bu75a93znbaum36f6i5md0bod0hr8xkc80',
	'9nckfegt38m8mxi59zclp95yksl75fp9nu8b9nfa6gmxmxk55hp9ci',
	'70iqb9iq56ljmr577ylw7195qdj34clwk99pia5z92qdqdoyhqqdc7',
	'b6j6kmcu5zj6edit6fm1lscphidx8cm1mzbfavfmd0i3m1rgbyrg1d',
	'8nh6aa73a1ace9ikbiogi6a3bi77hldhfl5l749toocdecccbcnq2v',
	'8dk9mkq67w97hmn46woqn48mkilc5gm3n45vir9nalq6ntq6hwq62j',
	'8kkolwid5pmgcl4t8go3mg7dgacg7tk3l16h9ld9appimgn5ijpi3j',
	'5qkyoni21uo9rapo5vo9rakyilil87poqdbyih8ubtspnwspexra6c',
	'd6cb898na29z8lrihesxdx8l913q7tejfn89635hfnbhridwrih59v',
	'7qhshshs4bhshshs99hserhshshs3ihshshshsfg2yhshshshshsao',
	'fwhwirh93de7kyh96fkyk0b8ib5wawkyirjb89gzibmdf4md9jmd33',
	'6klck28m4obzjdks62p3f85bfjj66hgdrgl5auc39qe2fnq179rg5h',
	'5dawjdgi3tf3lele6lpvniiqcgey648rogez9bj79cogognibppv49',
	'btla894a6xf15rloafhhf4e2kqe27xk6jymp8f6hdlfqj1mxbepr43',
	'e7bue6b2ej5re2gfd0oqcn8j7j5f9yaso36d9m855tcd8jlge4n45z',
	'58l9nxhy4dkjlqb48knxmz70lqlq5a7ljo5jc89eaapcidpch9pc7o',
	'icicdvicfzfzgxicgxicfaicgxfaicicgxahicfz0hicicicicic6x',
	'6lgkbv9v3pdmdjiq7an5dqdsc4by6vdpq7cy8d8fcgd7gesj9xsj49',
	'9cl2bsjb60irm48u82q8g7d7b5h483a0hlr6886293nhfgslg2sl2h',
	'a1nnfvqc70llk22n7hqwtycbiqjj6rojoaada3blc4phcmotd5qw42',
	'9hay7rbr92d08kqbauqbmp6p8j67e97vqb536d5gi4i8n9m8kwis8u',
	'6dmvmvh711mvmvmv51mvmvmvmvjtanmvmvmvjtisg1mvlfisf7mvdm',
	'4al5m0e65jfypm4450pmm0fcji9n6uo7pmf6brjqo7pmkspmfppm6d',
	'9ejh6u8p8rjhi2914kjhjhfvjhjhi245jhfvi254f0c7jhbicnjh63',
	'escfivgb7jjjm5ijbup6lkesg6js6ogwp6fl6jdbp6k2f9mukplk12',
	'87ebebcw2febebeb87ebeba8ebeb7hebebebebebbycwebeb8f8n51',
	'5x829da4ba9db88y7jg3fha99kbe7a9nhi9t7q4rcwdc7xl4d2pp8n',
]
